/** Addresses of clients, as sockets tell them. */
import { isIPv6 } from 'node:net'

const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i

export function isLoopback(address: string): boolean {
  const plain = mapped.exec(address)?.[1] ?? address
  return plain.startsWith('127.') || plain === '::1'
}

/**
 * What one client is counted by: the address; of IPv6 the first 64 bits, since a client has all the
 * others to itself.
 */
export function networkOf(address: string): string {
  const plain = mapped.exec(address)?.[1] ?? address
  if (!isIPv6(plain)) return plain
  const [head = '', tail] = plain.replace(/%.*$/, '').split('::')
  const groups = head === '' ? [] : head.split(':')
  const behind = tail === undefined || tail === '' ? [] : tail.split(':')
  while (tail !== undefined && groups.length + behind.length < 8) groups.push('0')
  const all = [...groups, ...behind].map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''))
  return `${all.slice(0, 4).join(':')}::/64`
}
