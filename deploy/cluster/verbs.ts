/** Every verb with its words, flags and help, in one table. */

import type { Flag, Verb } from './call.ts'
import { attach, down, heal, kill, logs, partition, say, status } from './nodes.ts'
import { ping } from './ping.ts'
import { start, up } from './up.ts'

export const COMMON_FLAGS: readonly Flag[] = [
  { name: 'project', argument: '<name>', help: "what the cluster is called (default: the folder's name)" },
  { name: 'help', short: 'h', help: 'show this' },
]

export const VERBS: readonly Verb[] = [
  {
    name: 'up',
    words: '[count]',
    wordsMax: 1,
    help: 'start nodes 1 to count (default: 3), or bring back what ended',
    flags: [
      { name: 'backend', argument: '<kind>', help: 'docker, netns or process (default: the first that is there)' },
      {
        name: 'run',
        argument: '<script>',
        help: "start-up command of each node, given the node's command as arguments",
      },
      { name: 'topic', argument: '<name>', help: 'what they share (default: users)' },
    ],
    run: up,
  },
  { name: 'down', words: '', wordsMax: 0, help: 'end all nodes and remove everything, data included', run: down },
  { name: 'status', words: '', wordsMax: 0, help: 'a line for each node', isReading: true, run: status },
  {
    name: 'ping',
    words: '[count]',
    wordsMax: 1,
    help: 'who of nodes 1 to count answers whom; fails if one does not',
    isReading: true,
    run: ping,
  },
  {
    name: 'logs',
    words: '[nodes]',
    wordsMax: 1,
    help: 'what a node has printed, or all of them',
    flags: [
      { name: 'follow', short: 'f', help: 'go on with what comes' },
      { name: 'lines', short: 'n', argument: '<count>', help: 'only so many from the end' },
    ],
    isReading: true,
    run: logs,
  },
  {
    name: 'attach',
    words: '<node> [-- command …]',
    wordsMax: 1,
    help: "a shell in a node's place, or one command there",
    takesRest: true,
    run: attach,
  },
  {
    name: 'say',
    words: '<node> <text>',
    wordsMax: 2,
    help: 'let a node say a word to all others; nothing is stored',
    flags: [{ name: 'to', argument: '<node>', help: 'it is meant for this one' }],
    isReading: true,
    run: say,
  },
  { name: 'kill', words: '<nodes>', wordsMax: 1, help: 'end nodes as a crash does; their data stays', run: kill },
  { name: 'start', words: '<nodes>', wordsMax: 1, help: 'start nodes that ended, or never ran', run: start },
  {
    name: 'partition',
    words: '<nodes> …',
    wordsMax: Infinity,
    help: 'cut groups of nodes off from all others',
    run: partition,
  },
  { name: 'heal', words: '', wordsMax: 0, help: 'end the partition', run: heal },
]
