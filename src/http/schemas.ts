/** JSON Schemas of what routes take and answer. They check requests, type the handlers, and describe the API. */

import { CURSOR_PATTERN } from './cursor.ts'
import { PAGE_COUNT_DEFAULT, PAGE_COUNT_MAX } from './options.ts'

const TEXT = { type: 'string', minLength: 1 } as const
const ANY_OBJECT = { type: 'object', additionalProperties: true } as const
const LIMIT = {
  type: 'integer',
  minimum: 1,
  maximum: PAGE_COUNT_MAX,
  description: `Items on a page; ${PAGE_COUNT_DEFAULT} when absent.`,
} as const
const AFTER = {
  type: 'string',
  pattern: CURSOR_PATTERN,
  description: 'Begins behind this `cursor` of a delta.',
} as const
const AS = { ...TEXT, description: 'Name of the identity that asserts; the node itself when absent.' } as const

export const NO_QUERY = { type: 'object', additionalProperties: false, properties: {} } as const

const ROUTE = {
  type: 'object',
  required: ['path', 'methods'],
  properties: { path: TEXT, methods: { type: 'array', items: TEXT } },
} as const
export const ROUTES = {
  title: 'Routes',
  type: 'object',
  required: ['routes'],
  properties: { routes: { type: 'array', items: ROUTE } },
} as const

export const WRITE_QUERY = { type: 'object', additionalProperties: false, properties: { as: AS } } as const

/** Of writes that may be waited for. */
export const HELD_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    as: AS,
    until: {
      type: 'string',
      pattern: '^(local|uniform|alive|copies:[1-9][0-9]?)$',
      description: 'Waits until so many hold it: `local`, `uniform`, `alive` or `copies:<n>`. Not at all when absent.',
    },
    deadlineMs: {
      type: 'integer',
      minimum: 1,
      maximum: 3_600_000,
      description: 'Waits no longer. 10,000 when absent.',
    },
  },
} as const

const CONTEXT = {
  type: 'string',
  description: "Id of the context to see it in; empty for none at all. The node's own when absent.",
} as const
const MOMENT = {
  ...TEXT,
  description: 'A `Rhizome-Frontier`, or a time: ISO 8601 with its zone, or milliseconds since 1970.',
} as const

/** How an entity is looked at: now and in the open when neither is given. */
export const VIEW_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: { context: CONTEXT, asOf: MOMENT },
} as const

/** As `VIEW_QUERY`, of a record with those that it refers to. */
export const RECORD_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...VIEW_QUERY.properties,
    expand: {
      type: 'integer',
      minimum: 0,
      maximum: 8,
      description: 'Shows the records that it refers to, and theirs, so many levels deep.',
    },
  },
} as const

export const VIOLATIONS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    collection: { ...TEXT, description: 'All that have a schema when absent.' },
    after: { ...TEXT, description: 'Begins behind this record: `<collection>/<id>`.' },
    limit: { type: 'integer', minimum: 1, maximum: 1_000, description: 'Records on a page; 100 when absent.' },
  },
} as const

/** Which claims are proven: in the open unless a context's record is named. */
export const PROOF_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    property: { ...TEXT, description: 'Of this property alone, and of those that its rule reads.' },
    context: { ...TEXT, description: 'Id of the record of a context; one that is pinned on the node is none.' },
    asOf: MOMENT,
  },
} as const

export const HISTORY_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...VIEW_QUERY.properties,
    limit: {
      type: 'integer',
      minimum: 1,
      maximum: 1_000,
      description: 'The newest deltas to look at; 100 when absent.',
    },
  },
} as const

export const DIFF_QUERY = {
  type: 'object',
  additionalProperties: false,
  required: ['from'],
  properties: { context: CONTEXT, from: MOMENT, to: { ...MOMENT, description: 'Now when absent.' } },
} as const

/** The JSON form of a query; src/query/README.md has its grammar, and its one reader checks it. */
export const QUERY = { ...ANY_OBJECT, description: 'A query: see src/query/README.md.' } as const

export const ROWS = {
  title: 'Rows',
  type: 'object',
  required: ['rows'],
  properties: {
    rows: { type: 'array', items: ANY_OBJECT },
    next: {
      type: 'string',
      description: 'The `after` for the rows that follow: of the outermost `limit`, or of a stored query.',
    },
  },
} as const

/** What an event of a followed query holds: `rows` the first time, then what came and went. */
export const LIVE_ROWS = {
  title: 'LiveRows',
  type: 'object',
  properties: {
    rows: { type: 'array', items: ANY_OBJECT },
    added: { type: 'array', items: ANY_OBJECT },
    removed: { type: 'array', items: ANY_OBJECT },
  },
} as const

export const QUERY_EVENTS_QUERY = {
  type: 'object',
  additionalProperties: false,
  required: ['query'],
  properties: {
    query: { ...TEXT, description: 'A query as JSON: see src/query/README.md.' },
    context: CONTEXT,
    rows: { type: 'boolean', description: 'Each change holds all rows, in order, too.' },
  },
} as const

/** Of a page of a stored query. */
export const ROWS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...VIEW_QUERY.properties,
    after: { ...TEXT, description: '`next` of the page before.' },
    limit: LIMIT,
  },
} as const

export const PLAN = {
  title: 'Plan',
  type: 'object',
  required: ['does', 'of'],
  properties: { does: { type: 'string' }, of: { type: 'array', items: ANY_OBJECT } },
} as const

export const IDS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: { ...VIEW_QUERY.properties, after: { ...TEXT, description: 'Begins behind this id.' }, limit: LIMIT },
} as const

/** How the log is looked at: the node's own context does not count. */
export const LOG_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: { context: { ...CONTEXT, description: 'Id of the context whose filter must see it.' }, asOf: MOMENT },
} as const

export const DELTAS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...LOG_QUERY.properties,
    after: AFTER,
    limit: LIMIT,
    follow: { type: 'boolean', description: 'Streams NDJSON, and goes on with what is written later.' },
  },
} as const

/** Of definitions, which are read in no context. */
export const MOMENT_QUERY = { type: 'object', additionalProperties: false, properties: { asOf: MOMENT } } as const

/** A page of definitions, which are read in no context. */
export const LIST_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: { asOf: MOMENT, after: { ...TEXT, description: 'Begins behind this id.' }, limit: LIMIT },
} as const

/** Which entities, and how they are looked at. */
export const MANY_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...VIEW_QUERY.properties,
    prefix: {
      type: 'string',
      description: 'Those alone whose id begins with it: `user/` for records of a collection.',
    },
    after: { ...TEXT, description: 'Begins behind this id.' },
    limit: LIMIT,
  },
} as const

export const SOME_QUERY = {
  ...MANY_QUERY,
  properties: {
    ...MANY_QUERY.properties,
    id: {
      anyOf: [TEXT, { type: 'array', minItems: 1, items: TEXT }],
      description: 'The entities, in this order: `id=` may be repeated. All of the namespace when absent.',
    },
  },
} as const

const IDS_MAX = 10_000

/** `POST` for views of several entities. */
export const MANY = {
  title: 'Selection',
  type: 'object',
  additionalProperties: false,
  properties: {
    ids: { type: 'array', maxItems: IDS_MAX, items: TEXT, description: 'All of the namespace when absent.' },
    filter: { description: 'A rule over a delta, as that of a context: what it says no to is not seen.' },
  },
} as const

export const EVENTS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: { after: { ...AFTER, description: 'Begins behind this `cursor`; from now on when absent.' } },
} as const

export const VIEW_EVENTS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    ...EVENTS_QUERY.properties,
    id: { ...TEXT, description: 'The record to follow; all of the collection when absent.' },
    context: CONTEXT,
  },
} as const

/** The parts of a path; each route has some of them. */
export const PATH = {
  type: 'object',
  properties: {
    ns: { ...TEXT, description: 'Name of a namespace that the node holds.' },
    collection: { ...TEXT, description: 'Name of a collection.' },
    id: { ...TEXT, description: 'Id in its collection, percent-encoded: `a%2Fb` is `a/b`.' },
    entity: { ...TEXT, description: 'Id of an entity; that of a record is `<collection>%2F<id>`.' },
    property: { ...TEXT, description: 'Name of a property.' },
    block: { type: 'string', pattern: '^[a-z2-7]{52}$', description: 'Hash of the block, as in ids of deltas.' },
    index: { type: 'string', pattern: '^(0|[1-9][0-9]{0,3})$', description: 'Place in the block, from 0.' },
  },
} as const

const PROPERTIES = { type: 'object', minProperties: 1, additionalProperties: {} } as const

/** `PUT` of a record. */
export const RECORD = {
  title: 'RecordInput',
  type: 'object',
  additionalProperties: false,
  required: ['properties'],
  properties: {
    id: { ...TEXT, description: 'Made at random when neither it nor the path says it.' },
    properties: PROPERTIES,
  },
} as const

const RAW_DELTA = {
  title: 'DeltaInput',
  type: 'object',
  additionalProperties: false,
  required: ['pointers'],
  properties: {
    pointers: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['localContext', 'target'],
        properties: { localContext: { type: 'string' }, target: {}, targetContext: { type: 'string' } },
      },
    },
  },
} as const

/** `POST` of deltas: one, or a list that becomes visible together. */
export const RAW_DELTAS = { anyOf: [RAW_DELTA, { type: 'array', minItems: 1, items: RAW_DELTA }] } as const

const FAULT = {
  title: 'Fault',
  type: 'object',
  required: ['code', 'message'],
  properties: { code: { type: 'string' }, message: { type: 'string' } },
} as const

/** Where `until` asked for it. */
const HELD = {
  achieved: { type: 'boolean', description: 'Whether what `until` asked for came about; the write stays either way.' },
  holders: {
    type: 'array',
    items: {
      type: 'object',
      required: ['peer', 'durability'],
      properties: { peer: { type: 'string' }, durability: { enum: ['memory', 'process', 'disk'] } },
    },
    description: 'Who holds it by signed word, this node among them.',
  },
  fault: { ...FAULT, description: 'Why it was not achieved: RZ_DELIVERY_DEADLINE.' },
} as const

export const ENTITY = {
  title: 'Entity',
  type: 'object',
  required: ['id', 'properties'],
  properties: {
    id: { type: 'string' },
    properties: ANY_OBJECT,
    errors: {
      type: 'object',
      additionalProperties: FAULT,
      description: 'Per property that has no value because its rule failed; absent when there is none.',
    },
    unseen: {
      type: 'array',
      items: ANY_OBJECT,
      description: 'Deltas on which the filter of the context failed; absent when there is none.',
    },
    references: {
      ...ANY_OBJECT,
      description: 'Where `expand` asks for them: per property the record that it refers to, or a list of such.',
    },
  },
} as const

/** A record that was written. */
export const PUT_ENTITY = { ...ENTITY, title: 'WrittenEntity', properties: { ...ENTITY.properties, ...HELD } } as const

/** `PUT` of a resolver, context, schema, stored query or function: its fields are told in view/README.md. */
export const DEFINITION = ANY_OBJECT

export const FUNCTIONS = {
  title: 'Functions',
  type: 'object',
  required: ['functions'],
  properties: {
    functions: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'state', 'cursor', 'lag', 'handledCount', 'emittedCount', 'failedCount', 'failures'],
        properties: {
          name: { type: 'string' },
          state: { type: 'string', enum: ['running', 'retrying', 'stopped', 'closed'] },
          cursor: { type: 'string', description: 'Deltas up to there are dealt with.' },
          lag: { type: 'integer', description: 'How far that is behind the newest; 0 when all is dealt with.' },
          handledCount: { type: 'integer' },
          emittedCount: { type: 'integer' },
          failedCount: { type: 'integer', description: 'Deltas that were given up.' },
          failures: {
            type: 'array',
            items: {
              type: 'object',
              required: ['delta', 'told', 'code', 'message', 'attempts', 'atMs'],
              properties: {
                delta: { type: 'string' },
                told: { type: 'string', enum: ['delta', 'hidden', 'restored', 'voided'] },
                code: { type: 'string' },
                message: { type: 'string' },
                attempts: { type: 'integer' },
                atMs: { type: 'integer' },
              },
            },
          },
        },
      },
    },
  },
} as const

export const VIOLATIONS = {
  title: 'Violations',
  type: 'object',
  required: ['violations'],
  properties: {
    violations: {
      type: 'array',
      items: {
        type: 'object',
        required: ['collection', 'id', 'version', 'faults'],
        properties: {
          collection: { type: 'string' },
          id: { type: 'string' },
          version: { type: 'integer', description: 'Of the schema that it breaks.' },
          faults: {
            type: 'array',
            items: {
              type: 'object',
              required: ['path', 'keyword', 'code', 'message', 'deltas'],
              properties: {
                path: { type: 'string', description: 'JSON pointer into the record.' },
                keyword: { type: 'string' },
                code: { type: 'string' },
                message: { type: 'string' },
                deltas: {
                  type: 'array',
                  items: {
                    type: 'object',
                    required: ['id', 'creator'],
                    properties: { id: { type: 'string' }, creator: { type: 'string' } },
                  },
                },
              },
            },
          },
        },
      },
    },
    isCut: { type: 'boolean', description: 'That a collection has more than 100,000, of which these are the first.' },
    next: { type: 'string', description: 'Path of the next page.' },
  },
} as const

export const DEFINITIONS = {
  title: 'Definitions',
  type: 'object',
  required: ['definitions'],
  properties: {
    definitions: {
      type: 'array',
      items: { type: 'object', required: ['id', 'definition'], properties: { id: { type: 'string' }, definition: {} } },
    },
    next: { type: 'string' },
  },
} as const

export const DEFINED = {
  title: 'Defined',
  type: 'object',
  required: ['id', 'definition'],
  properties: { id: { type: 'string' }, definition: {}, problems: { type: 'array', items: FAULT } },
} as const

export const DELTA = {
  title: 'Delta',
  type: 'object',
  required: ['id', 'time', 'creator', 'host', 'log', 'seq', 'index', 'pointers'],
  properties: {
    cursor: { type: 'string', description: 'Where it stands in this node; in lists alone.' },
    id: { type: 'string' },
    time: { type: 'object', properties: { ms: { type: 'integer' }, counter: { type: 'integer' } } },
    creator: { type: 'string' },
    host: { type: 'string' },
    log: { type: 'string' },
    seq: { type: 'integer' },
    index: { type: 'integer' },
    pointers: { type: 'array', items: ANY_OBJECT },
  },
} as const

export const DELTAS = { type: 'array', items: DELTA } as const

export const WRITTEN = {
  title: 'Written',
  type: 'object',
  required: ['deltas'],
  properties: { deltas: { type: 'array', items: { type: 'string' } }, block: { type: 'string' }, ...HELD },
} as const

export const IDS = {
  title: 'Ids',
  type: 'object',
  required: ['ids'],
  properties: { ids: { type: 'array', items: { type: 'string' } }, next: { type: 'string' } },
} as const

export const IMPORTED = {
  title: 'Imported',
  type: 'object',
  required: ['records', 'deltas', 'unchanged', 'failedCount', 'failed'],
  properties: {
    records: { type: 'integer' },
    deltas: { type: 'integer' },
    unchanged: { type: 'integer' },
    failedCount: { type: 'integer' },
    failed: {
      type: 'array',
      items: {
        type: 'object',
        properties: { line: { type: 'integer' }, code: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
} as const

export const COUNT = { type: 'integer', minimum: 0 } as const
export const FRONTIER = {
  title: 'Frontier',
  type: 'object',
  required: ['frontier'],
  properties: { frontier: { type: 'string' } },
} as const
export const PROBLEMS = { type: 'array', items: FAULT } as const
export const CHANGES = { type: 'array', items: ANY_OBJECT } as const
export const EXPLANATION = ANY_OBJECT
export const HISTORY = ANY_OBJECT
export const LOSSLESS = {
  title: 'LosslessView',
  type: 'object',
  required: ['id'],
  properties: {
    id: { type: 'string' },
    referencedAs: { type: 'array', items: { type: 'string' } },
    properties: { ...ANY_OBJECT, description: 'Per property its claims, which name their deltas by id.' },
    negations: { type: 'array', items: ANY_OBJECT },
    deltas: { type: 'object', additionalProperties: DELTA, description: 'Each once, by id.' },
    error: { ...FAULT, description: 'In lists, instead of the rest, for one that is too large.' },
  },
} as const
export const LOSSLESS_LIST = { type: 'array', items: LOSSLESS } as const
export const ENTITIES = { type: 'array', items: ENTITY } as const
export const NAMES = { type: 'array', items: { type: 'string' } } as const
export const PROOF = { ...ANY_OBJECT, title: 'Proof', description: 'src/log/README.md, Proofs.' } as const
export const STATUS = ANY_OBJECT
export const PEERS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    all: { type: 'boolean', description: 'Members too that are not connected: suspect, down, left, or only heard of.' },
  },
} as const
export const PING_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    timeoutMs: {
      type: 'integer',
      minimum: 1,
      maximum: 60_000,
      description: 'How long answers are waited for; 3000 when absent.',
    },
  },
} as const
const MEMBER = {
  title: 'Member',
  type: 'object',
  required: ['peer', 'name', 'state', 'addresses', 'namespaces', 'tags', 'tagsCut', 'version', 'connected'],
  properties: {
    peer: { type: 'string' },
    name: { type: 'string' },
    state: { enum: ['alive', 'suspect', 'down', 'left'] },
    addresses: { type: 'array', items: { type: 'string' } },
    namespaces: { type: 'array', items: { type: 'string' } },
    tags: { type: 'array', items: { type: 'string' }, description: 'Collections that it holds, the first 64.' },
    tagsCut: { type: 'boolean', description: 'It holds more.' },
    version: { type: 'string' },
    connected: { type: 'boolean' },
    lastHeardMs: { type: 'integer' },
    incarnation: { type: 'integer' },
    clockOffsetMs: { type: 'number' },
    roundTripMs: { type: 'number' },
    behindBlocks: { type: 'integer' },
  },
} as const
export const MEMBERS = { type: 'array', items: MEMBER } as const
export const MEMBER_CHANGE = {
  title: 'MemberChange',
  type: 'object',
  required: ['namespace', 'change', 'member'],
  properties: {
    namespace: { type: 'string' },
    change: { enum: ['appeared', 'state', 'tags', 'details'] },
    before: { type: 'string', description: 'The state in which it was; absent for one that is new.' },
    member: MEMBER,
  },
} as const
export const PINGED = {
  type: 'array',
  items: {
    title: 'Pinged',
    type: 'object',
    required: ['member'],
    properties: { member: MEMBER, roundTripMs: { type: 'number', description: 'Absent: it did not answer in time.' } },
  },
} as const
export const MESSAGE = {
  title: 'MessageInput',
  type: 'object',
  additionalProperties: false,
  required: ['message'],
  properties: {
    message: { description: 'JSON; bytes are `{ "$bytes": "<base64>" }`. At most 16 KiB.' },
    to: { ...TEXT, description: 'Peer id of the one who is meant; it is not secret. Absent: everybody.' },
  },
} as const
export const BROADCAST = {
  title: 'Broadcast',
  type: 'object',
  required: ['neighbours'],
  properties: { neighbours: { ...COUNT, description: 'How many it was handed to, who pass it on.' } },
} as const
export const STATUSES = { type: 'array', items: STATUS } as const
export const HEALTH = { type: 'object', properties: { status: { const: 'ok' } } } as const
export const READINESS = { type: 'object', properties: { status: { const: 'ready' } } } as const
export const DOCUMENT = { ...ANY_OBJECT, description: 'https://spec.openapis.org/oas/v3.1.1' } as const
