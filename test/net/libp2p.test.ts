import { describe } from 'vitest'
import { netContract } from './contract.ts'
import { createLibp2pCluster } from './libp2p-cluster.ts'

describe('libp2p', () => {
  netContract(createLibp2pCluster)
})
