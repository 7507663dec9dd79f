/**
 * What a test may ask of a run: to be killed at a step of a commit, to find the disk full, to lose
 * its partitions soon. The suite in test/crash is written with it; an application's can be too.
 */
import { existsSync } from 'node:fs'
import type { CommitStep } from '../log/embedded.ts'
import { type Disk, nodeDisk } from '../log/embedded-disk.ts'
import type { KafkaCommitStep } from '../log/kafka-transaction.ts'
import type { OpenLogOptions } from './open-log.ts'

/** Plain data, so that worker threads get it as it is. */
export interface RunTesting {
  /** The whole process is killed (SIGKILL) there, and nothing of it can clean up. */
  readonly crash?: CrashPoint
  /** While this file exists, nothing can be written to segments (ENOSPC). */
  readonly diskFullWhile?: string
  /** As in `EmbeddedLogOptions`, for every handle of the run. */
  readonly sessionTimeoutMs?: number
  readonly segmentBytes?: number
}

export interface CrashPoint {
  readonly step: CommitStep | KafkaCommitStep
  /** The first, second, ... time that a handle of `where` goes through the step. */
  readonly nth: number
  /** The main thread prepares and does the housekeeping; workers commit. */
  readonly where: 'main' | 'workers'
}

/** What the log handle of one thread is opened with. */
export function testingOptions(
  testing: RunTesting | undefined,
  where: CrashPoint['where'],
): Partial<OpenLogOptions> {
  if (testing === undefined) return {}
  const { crash, diskFullWhile, sessionTimeoutMs, segmentBytes } = testing
  return {
    // Only one of the two is called: that of the log which is opened.
    ...(crash?.where === where ? { onStep: crashAt(crash), onKafkaStep: crashAt(crash) } : {}),
    ...(diskFullWhile === undefined ? {} : { disk: fullDisk(diskFullWhile) }),
    ...(sessionTimeoutMs === undefined ? {} : { sessionTimeoutMs }),
    ...(segmentBytes === undefined ? {} : { segmentBytes }),
  }
}

function crashAt({ step, nth }: CrashPoint): (step: CrashPoint['step']) => void {
  let count = 0
  return (reached) => {
    if (reached === step && ++count === nth) process.kill(process.pid, 'SIGKILL')
  }
}

/** Half of a write gets through, as on a disk that runs full. */
function fullDisk(flag: string): Disk {
  return {
    ...nodeDisk,
    append(file, buffers, position) {
      if (!existsSync(flag)) return nodeDisk.append(file, buffers, position)
      const all = Buffer.concat(buffers)
      nodeDisk.append(file, [all.subarray(0, all.length >> 1)], position)
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    },
  }
}
