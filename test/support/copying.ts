/** The function of the kill test: of each order it emits a copy and adds one to a count. */

import { setImmediate } from 'node:timers/promises'
import type { DeltaFunction, Namespace } from '../../src/index.ts'

export function copying(users: Namespace, onSeen: (id: string) => void): DeltaFunction {
  const filter = { '==': [{ var: 'pointers.0.localContext' }, 'order'] }
  return users.on({ name: 'copying', filter }, async (delta, emit) => {
    onSeen(delta.id)
    emit([{ localContext: 'copied', target: delta.id, targetContext: 'copies' }])
    await setImmediate()
    emit([{ localContext: 'counted', target: 'count/all', targetContext: 'count' }])
  })
}
