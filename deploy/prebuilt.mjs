/**
 * Gathers what the image holds from a checkout that is installed and built, for places where a build has no package registry:
 * `node deploy/prebuilt.mjs <folder>`, then `docker build -f deploy/Dockerfile --target prebuilt <folder>`. A folder that it has
 * made is made anew; of any other it touches nothing. It takes the packages that the lockfile of node_modules says run in production, and leaves out what the Dockerfile does.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const [folder] = process.argv.slice(2)

/** For people who debug. */
const isLeftOut = (path) => /\.map$|\.[cm]?ts$/.test(path)

/** Nothing is there, or what this script has made. */
function isOwn(path) {
  if (!existsSync(path) || readdirSync(path).length === 0) return true
  const isMade = existsSync(join(path, 'app', 'dist', 'bin.js')) && existsSync(join(path, 'deploy', 'Dockerfile'))
  return isMade && readdirSync(path).length === 2
}

/** Paths of installed packages, as `node_modules/libp2p`. */
function packagesInProduction() {
  const { packages } = JSON.parse(readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8'))
  return Object.entries(packages).flatMap(([path, { dev = false }]) =>
    dev || !existsSync(join(root, path)) ? [] : path,
  )
}

/** Without the packages inside a package: each is a row of its own. */
function copyPackage(path, target) {
  const from = join(root, path)
  cpSync(from, join(target, path), {
    recursive: true,
    dereference: true,
    filter: (source) => !isLeftOut(source) && !(source !== from && basename(source) === 'node_modules'),
  })
}

function gather(target) {
  const bin = join(root, 'dist', 'bin.js')
  if (!existsSync(bin) || !existsSync(join(root, 'node_modules', '.package-lock.json')))
    throw new Error('there is no dist/ or no node_modules/ here: run npm ci first')
  rmSync(target, { recursive: true, force: true })
  const app = join(target, 'app')
  mkdirSync(join(app, 'deploy'), { recursive: true })
  for (const path of packagesInProduction()) copyPackage(path, app)
  cpSync(join(root, 'dist'), join(app, 'dist'), { recursive: true, filter: (source) => !isLeftOut(source) })
  for (const file of ['package.json', 'LICENSE', join('deploy', 'healthy.mjs')])
    cpSync(join(root, file), join(app, file))
  // What the Dockerfile takes of either kind of folder, and the place where compose looks for it.
  for (const file of ['package.json', join('deploy', 'Dockerfile')]) cpSync(join(root, file), join(target, file))
}

if (folder === undefined) {
  console.error(`usage: node deploy/prebuilt.mjs <folder>`)
  process.exitCode = 2
} else if (!isOwn(resolve(folder))) {
  console.error(`${folder} holds other files: give a folder that is not there yet`)
  process.exitCode = 2
} else {
  gather(resolve(folder))
}
