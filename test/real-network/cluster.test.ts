/** A cluster at hand on network namespaces: it makes those of its own, inside the one of this run. */

import { backendContract } from '../cluster/contract.ts'
import { processesOf } from '../cluster/remains.ts'

backendContract('netns', { resolvesNames: true, remains: processesOf })
