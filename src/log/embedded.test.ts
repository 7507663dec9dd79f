import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from './embedded.ts'
import { logContract, shiftedClock } from './log.contract.ts'

logContract('embedded', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-log-'))
  const { clock, elapse } = shiftedClock()
  const open = () => openEmbeddedLog({ directory, clock, maintain: false })
  const handles = [await open()]
  const another = async () => {
    const handle = await open()
    handles.push(handle)
    return handle
  }
  return {
    log: handles[0]!,
    async reopen() {
      for (const handle of handles) await handle.close()
      return another()
    },
    second: another,
    maintain: () => handles[0]!.maintain(),
    elapse,
    now: () => clock.now(),
    async close() {
      for (const handle of handles) await handle.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
})
