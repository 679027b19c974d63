/** A cluster at hand on plain processes. */

import { backendContract } from '../cluster/contract.ts'
import { processesOf } from '../cluster/remains.ts'

backendContract('process', { resolvesNames: false, remains: processesOf })
