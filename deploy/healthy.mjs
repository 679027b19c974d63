/**
 * The image's health check: exits with 0 when the node of this container answers at `/health/ready`. It asks by the control socket
 * in the node's directory, which is there whatever HTTP port was chosen, or none; a node in memory has no other way than TCP.
 * Not a command of rhizome-node: it runs every few seconds for ever, and this starts in a third of the time.
 */
import { existsSync } from 'node:fs'
import { request } from 'node:http'
import { findControlSocket } from '../dist/http/control-socket.js'

const { RHIZOME_DATA: directory = '', RHIZOME_HTTP_PORT: port = '' } = process.env
const PORT_DEFAULT = 3000
const ANSWER_MS = 4_000

const socketPath = directory === '' ? '' : await findControlSocket(directory)
const place = existsSync(socketPath) ? { socketPath } : { host: '127.0.0.1', port: Number(port) || PORT_DEFAULT }

const asking = request({ ...place, path: '/health/ready', timeout: ANSWER_MS }, (answer) => {
  process.exitCode = answer.statusCode === 200 ? 0 : 1
  answer.resume()
})
asking.on('timeout', () => asking.destroy(new Error(`no answer in ${ANSWER_MS} ms`)))
asking.on('error', (error) => {
  console.error(`the node does not answer: ${error.message}`)
  process.exitCode = 1
})
asking.end()
