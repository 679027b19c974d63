/**
 * The composition root: hands the command line to the faces. `bin.ts` has checked Node's version before it imports this.
 */
import { readFileSync } from 'node:fs'

/** Runs one command line, without the two leading words of `process.argv`; resolves to the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  if (argv[0] === '--version') {
    const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string
    }
    console.log(manifest.version)
    return 0
  }
  console.error('usage: rhizome-node --version')
  return 2
}
