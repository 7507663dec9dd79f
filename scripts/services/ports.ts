/** Free ports on this machine. */
import { createServer } from 'node:net'

const firstPort = 20_000
/** Above are the ports that outgoing connections take: one could hold a port that a broker comes back to. */
const lastPort = 31_999

/** Different free ports on 127.0.0.1. Who waits long before taking one may find it taken. */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  for (let tries = 0; found.size < count; tries++) {
    if (tries > 1000) throw new Error(`no ${count} free ports between ${firstPort} and ${lastPort}`)
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort + 1))
    if (!found.has(port) && (await isFree(port))) found.add(port)
  }
  return [...found]
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
