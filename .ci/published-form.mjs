/**
 * Tries the package as a stranger gets it: packs it, installs the tarball without devDependencies in an empty project,
 * then runs the command, imports the SDK, type-checks and runs the README's first sample, and weighs what was installed.
 * Prints one line per check; fails at the first that does not hold.
 */
import { spawnSync } from 'node:child_process'
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const INSTALLED_BYTES_MAX = 120_000_000
const PACKAGES_MAX = 250
const STEP_MS_MAX = 300_000

const root = fileURLToPath(new URL('..', import.meta.url))
const localBin = join(root, 'node_modules', '.bin')
const onWindows = process.platform === 'win32'

/** Runs one command and answers its output; what it printed is shown when it fails. */
function run(command, args, { cwd, path = process.env['PATH'], statusExpected = 0, home }) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    timeout: STEP_MS_MAX,
    shell: onWindows,
    env: { ...process.env, PATH: path, ...(home === undefined ? {} : { RHIZOME_HOME: home }) },
  })
  if (status !== statusExpected) {
    const why = error?.message ?? `exit code ${status} instead of ${statusExpected}`
    throw new Error(`${command} ${args.join(' ')}: ${why}\n${stdout}${stderr}`)
  }
  return { stdout, stderr }
}

function check(holds, what) {
  if (!holds) throw new Error(`does not hold: ${what}`)
  console.log(`ok  ${what}`)
}

/** Sum over all files below a folder. */
function bytesIn(folder) {
  return readdirSync(folder, { recursive: true })
    .map((name) => lstatSync(join(folder, name)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0)
}

/** The first fenced TypeScript block of the README that imports the package. */
function readmeSample() {
  const blocks = readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```(?:ts|typescript)\n(.*?)^```$/gms)
  return [...blocks].map(([, code]) => code).find((code) => code.includes("from 'rhizome-node'"))
}

/** The PATH without this checkout's own programs: a stranger has none of them. */
function strangersPath() {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.filter((folder) => !folder.includes(join('node_modules', '.bin'))).join(delimiter)
}

function pack(folder) {
  run('npm', ['run', '--silent', 'build'], { cwd: root })
  const { stdout } = run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], { cwd: root })
  const report = JSON.parse(stdout)
  const { filename, files, size } = Array.isArray(report) ? report[0] : Object.values(report)[0]
  const beside = files.map(({ path }) => path).filter((path) => !path.startsWith('dist/'))
  const expected = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json']
  check(
    beside.sort().join() === expected.join(),
    `the package (${Math.ceil(size / 1000)} kB) holds dist/ and ${beside.join(', ')}`,
  )
  const maps = files.filter(({ path }) => path.endsWith('.map'))
  check(maps.length === 0, 'it holds no source maps')
  return join(folder, filename)
}

function tryInstalled(project, tarball, home) {
  writeFileSync(join(project, 'package.json'), '{ "name": "stranger", "private": true, "type": "module" }\n')
  run('npm', ['install', '--omit=dev', '--no-audit', '--no-fund', tarball], { cwd: project })
  const installed = JSON.parse(readFileSync(join(project, 'node_modules', '.package-lock.json'), 'utf8'))
  const packageCount = Object.keys(installed.packages).length
  const bytes = bytesIn(join(project, 'node_modules'))
  check(packageCount <= PACKAGES_MAX, `${packageCount} packages installed (at most ${PACKAGES_MAX})`)
  check(bytes <= INSTALLED_BYTES_MAX, `${(bytes / 1e6).toFixed(1)} MB installed (at most ${INSTALLED_BYTES_MAX / 1e6})`)

  const withNode = `${localBin}${delimiter}${strangersPath()}`
  const { version, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const told = run('npx', ['rhizome-node', '--version'], { cwd: project, path: withNode, home }).stdout.trim()
  check(told === version, `npx rhizome-node --version prints ${version}`)
  const names = "const sdk = await import('rhizome-node'); console.log(Object.keys(sdk).join(', '))"
  const exported = run('node', ['--input-type=module', '--eval', names], { cwd: project, path: withNode }).stdout.trim()
  check(exported.includes('RhizomeError'), `the SDK exports ${exported}`)
  const clusters =
    "const { createCluster } = await import('rhizome-node/testing'); await createCluster({ nodes: 2 }).settle()"
  run('node', ['--input-type=module', '--eval', clusters], { cwd: project, path: withNode })
  check(true, 'a cluster of rhizome-node/testing settles')

  const strangersNode = spawnSync('node', ['--version'], {
    encoding: 'utf8',
    env: { ...process.env, PATH: strangersPath() },
  })
  const major = Number(/^v(\d+)/.exec(strangersNode.stdout ?? '')?.[1] ?? Number.POSITIVE_INFINITY)
  if (major < Number(/\d+/.exec(engines.node)?.[0])) {
    const bin = join('node_modules', 'rhizome-node', 'dist', 'bin.js')
    const { stdout, stderr } = run('node', [bin, '--version'], {
      cwd: project,
      path: strangersPath(),
      statusExpected: 1,
    })
    const isOneLine = stdout === '' && stderr.trimEnd().split('\n').length === 1
    check(isOneLine && stderr.includes('needs Node'), `the machine's Node ${major} is told: ${stderr.trim()}`)
  }
  return withNode
}

function trySample(project, withNode, home) {
  const sample = readmeSample()
  check(sample !== undefined, 'the README has a TypeScript sample that imports rhizome-node')
  writeFileSync(join(project, 'sample.ts'), sample)
  const compilerOptions = {
    target: 'esnext',
    module: 'nodenext',
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    typeRoots: [join(root, 'node_modules', '@types')],
    types: ['node'],
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['sample.ts'] }))
  run(join(localBin, onWindows ? 'tsc.cmd' : 'tsc'), ['-p', project], { cwd: project })
  check(true, "the README's sample type-checks")
  if (process.platform !== 'linux') {
    console.log("--  the README's sample was not run: it needs a network namespace of its own")
    return
  }
  const alone = join(root, 'test', 'real-network', 'alone.sh')
  run('sh', [alone, 'node', 'sample.ts'], { cwd: project, path: withNode, home })
  check(true, "the README's sample runs")
}

const folder = mkdtempSync(join(tmpdir(), 'rhizome-published-'))
try {
  const project = join(folder, 'stranger')
  mkdirSync(project)
  const tarball = pack(folder)
  const home = join(folder, 'home')
  const withNode = tryInstalled(project, tarball, home)
  trySample(project, withNode, home)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
