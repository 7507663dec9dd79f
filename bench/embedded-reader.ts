/** A thread that follows the predictions, as a page or another pipeline would. */
import { workerData } from 'node:worker_threads'
import { openEmbeddedLog } from '../src/log/embedded.ts'

const { directory } = workerData as { directory: string }
const log = await openEmbeddedLog({ directory })
const offsets = [0, 0, 0, 0]
let seen = log.revision()
for (;;) {
  await log.changed(seen, 10)
  seen = log.revision()
  for (const [partition, offset] of offsets.entries()) {
    const batch = await log.read('scored', partition, offset)
    if (batch !== undefined) offsets[partition] = batch.nextOffset
  }
}
