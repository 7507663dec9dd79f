/** Which Kafka a broker is, and whether it knows every request that this log makes. */
import {
  addOffsetsToTxnV3,
  addPartitionsToTxnV3,
  apiVersionsV3,
  createPartitionsV3,
  createTopicsV7,
  deleteGroupsV2,
  deleteTopicsV6,
  describeConfigsV4,
  describeGroupsV5,
  describeLogDirsV4,
  endTxnV3,
  findCoordinatorV4,
  heartbeatV4,
  initProducerIdV4,
  joinGroupV9,
  leaveGroupV5,
  listGroupsV4,
  listOffsetsV7,
  metadataV12,
  offsetCommitV8,
  offsetDeleteV0,
  offsetFetchV8,
  syncGroupV5,
  txnOffsetCommitV3,
} from '@platformatic/kafka'
import type { Greeting } from './kafka-probe-greeting.ts'
import { fetchParts, produce } from './kafka-wire.ts'

interface Request {
  readonly key: number
  readonly version: number
}

/** By the name of their codec, so that a test can compare them with what is imported. */
export const neededRequests: Readonly<Record<string, Request>> = {
  addOffsetsToTxnV3: addOffsetsToTxnV3.api,
  addPartitionsToTxnV3: addPartitionsToTxnV3.api,
  apiVersionsV3: apiVersionsV3.api,
  createPartitionsV3: createPartitionsV3.api,
  createTopicsV7: createTopicsV7.api,
  deleteGroupsV2: deleteGroupsV2.api,
  deleteTopicsV6: deleteTopicsV6.api,
  describeConfigsV4: describeConfigsV4.api,
  describeGroupsV5: describeGroupsV5.api,
  describeLogDirsV4: describeLogDirsV4.api,
  endTxnV3: endTxnV3.api,
  fetch: fetchParts,
  findCoordinatorV4: findCoordinatorV4.api,
  heartbeatV4: heartbeatV4.api,
  initProducerIdV4: initProducerIdV4.api,
  joinGroupV9: joinGroupV9.api,
  leaveGroupV5: leaveGroupV5.api,
  listGroupsV4: listGroupsV4.api,
  listOffsetsV7: listOffsetsV7.api,
  metadataV12: metadataV12.api,
  offsetCommitV8: offsetCommitV8.api,
  offsetDeleteV0: offsetDeleteV0.api,
  offsetFetchV8: offsetFetchV8.api,
  produce,
  syncGroupV5: syncGroupV5.api,
  txnOffsetCommitV3: txnOffsetCommitV3.api,
}

export interface Unknown {
  /** `JoinGroup` and so on. */
  readonly name: string
  readonly version: number
  /** Undefined: it does not know the request at all. */
  readonly upTo: number | undefined
}

/** The requests that the broker would not answer. */
export function unknownRequests({ requests }: Greeting): Unknown[] {
  return Object.entries(neededRequests).flatMap(([codec, { key, version }]) => {
    const range = requests.get(key)
    if (range !== undefined && version >= range.min && version <= range.max) return []
    const name = codec.replace(/V\d+$/, '').replace(/^./, (letter) => letter.toUpperCase())
    return [{ name, version, upTo: range?.max }]
  })
}

/** The first level of metadata.version that each release brought (KRaft, since 3.3). */
const releases = [
  ...([
    [4, '3.3'],
    [8, '3.4'],
    [9, '3.5'],
    [12, '3.6'],
    [15, '3.7'],
    [20, '3.8'],
  ] as const),
  ...([
    [21, '3.9'],
    [22, '4.0'],
    [26, '4.1'],
    [28, '4.2'],
    [30, '4.3'],
  ] as const),
]
const newestKnownLevel = 30

/** `Apache Kafka 4.3`; undefined where the broker does not say, as Redpanda and ZooKeeper's do not. */
export function releaseOf(level: number | undefined): string | undefined {
  if (level === undefined) return undefined
  if (level > newestKnownLevel) return '4.3 or newer'
  return releases.findLast(([first]) => first <= level)?.[1]
}
