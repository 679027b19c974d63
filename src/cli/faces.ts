/**
 * What the command line needs of other faces, which it may not import: main.ts hands it over.
 */

import type { RhizomeNode } from '../node/node.ts'

export interface ServeOptions {
  /** False: the control socket alone. */
  readonly tcp:
    | false
    | {
        readonly host: string
        /** Absent: the default port, or the next free one. */
        readonly port?: number
        /** That requests must bring, on loopback too. Absent: beyond loopback, the one that the node's directory knows. */
        readonly token?: string
        readonly allowHosts: readonly string[]
        readonly allowOrigins: readonly string[]
      }
  /** The line protocol on TCP. Absent: none. */
  readonly text?: { readonly host: string; readonly port: number; readonly token?: string }
  /** Where the control socket is made. Default: in the node's directory, where other commands find it. */
  readonly socketPath?: string
  /** Who may connect to the node, as its status tells. */
  readonly overlay: 'open' | 'secret' | 'offline'
  /** Hears of failures of the faces that are no fault of a request. */
  readonly onError: (error: unknown) => void
}

export interface Served extends AsyncDisposable {
  /** Where the API answers over TCP; empty without. */
  readonly urls: readonly string[]
  /** Where the line protocol answers, as `host:port`. */
  readonly text?: string
  /** Beyond loopback, or where one was given, a token is needed; told here when it was made just now and nobody can look it up. */
  readonly token:
    | { readonly kind: 'none' }
    | { readonly kind: 'stored' }
    | { readonly kind: 'given' }
    | { readonly kind: 'shown'; readonly token: string }
}

/** What may stand next in a line of the shell: a word, or a name of some kind that can be looked up. */
export type Expected =
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'container' | 'topic' | 'record' }
  /** A key of that container. */
  | { readonly kind: 'key'; readonly container: string }
  /** A column of these containers. */
  | { readonly kind: 'column'; readonly containers: readonly string[] }

/** By which the shell asks for the line protocol on the control socket. */
export const SHELL_PROTOCOL = 'rhizome-text'

export interface Faces {
  /** What may follow a line of the shell that ends where a word begins. */
  expectedNext(line: string): Promise<readonly Expected[]>
  /** Serves the HTTP API of a node over TCP and over the control socket in its directory. */
  serve(node: RhizomeNode, options: ServeOptions): Promise<Served>
  /** Where the control socket of a directory's node is, if it runs. */
  socketPathOf(directory: string): Promise<string>
  /** Makes a new HTTP token for a node and returns it: the last time that anyone sees it. */
  renewToken(directory: string): Promise<string>
}
