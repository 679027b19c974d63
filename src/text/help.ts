/** What `HELP` says. */

export const HELP: readonly string[] = [
  'CREATE <bucket>                make a bucket',
  'PUT <bucket> <key> <value>     put a value under a key; it is one word, and quotes are part of it',
  'GET <bucket> <key>             its line, which is empty where there is none',
  'DELETE <bucket> <key>          delete a key',
  'BUCKETS                        the buckets, a line each',
  'KEYS <bucket>                  the keys of a bucket, a line each',
  'WATCH <bucket>                 records as they change, until the next line (an empty one will do)',
  'insert <value> into <container> [as <id>]   [0] is bytes, {"name":"Rex"} properties',
  'select [<columns>] from <container> [join ...] [where <rule>] [order by <columns>] [limit <count>]',
  'delete from <container> [where <rule>]   or: delete <container>/<id>',
  'query <query as JSON>          any query',
  'tags                           which node holds which containers',
  'peers                          who is there',
  'topics, use <topic>            which topics there are; go on in another',
  'AUTH <token>                   first of all, where a token is needed',
  'QUIT                           the end',
]
