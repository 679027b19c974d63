#!/usr/bin/env node
/**
 * The command. Checks Node's version before anything else is imported, so that an old Node prints one line instead of
 * a stack trace. Refuses static imports and newer syntax: this file alone must parse on any Node that knows modules.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)

// Equal to `engines` in package.json; test/bin.test.ts compares them.
if (major > 24 || (major === 24 && minor >= 15)) {
  // Compiled code is kept between runs, in the system's own place for it: a second start takes half the time.
  void import('node:module')
    .then(({ enableCompileCache }) => enableCompileCache())
    .then(() => import('./main.ts'))
    .then(({ main }) => main(process.argv.slice(2)))
    .then((exitCode) => {
      process.exitCode = exitCode
      // libp2p leaves a timer of a second behind. What was printed has left once this write has.
      process.stdout.write('', () => process.exit())
    })
} else {
  console.error(
    'rhizome-node needs Node 24.15 or newer; this is Node ' + process.versions.node + ' (https://nodejs.org)',
  )
  process.exitCode = 1
}
