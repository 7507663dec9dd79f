/** What is done to a running application, its brokers and the network between them. */
import { brokerFaults } from './broker-faults.ts'
import type { Fault } from './fault.ts'
import { networkFaults } from './network-faults.ts'
import { processFaults } from './process-faults.ts'

export const faults: readonly Fault[] = [...processFaults, ...brokerFaults, ...networkFaults]
