/** Names and addresses under which brokers are reached, as certificates hold them. */
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { fail } from '../core/errors.ts'

export interface HostName {
  readonly type: 'dns' | 'ip'
  readonly value: string
}

/** A broker as clients reach it. */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** Throws `CERTIFICATE_INVALID`. A name may begin with `*.`. */
export function hostNameOf(where: string, text: string): HostName {
  const bare = text.replace(/^\[(.*)\]$/, '$1')
  if (isIP(bare) !== 0) return { type: 'ip', value: bare }
  const ascii = domainToASCII(text.replace(/^\*\./, ''))
  const isName = /^(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*$/.test(ascii)
  if (!isName || ascii.length > 253) {
    throw fail('CERTIFICATE_INVALID', `${where}: '${text}' is no host name and no address`)
  }
  return { type: 'dns', value: text.startsWith('*.') ? `*.${ascii}` : ascii }
}

/** `host:port,host:port`. Throws `CERTIFICATE_INVALID`. */
export function brokersOf(where: string, text: string): readonly BrokerAddress[] {
  const found = text.split(',').map((one) => {
    const [, host = '', digits = ''] = /^(.+):(\d{1,5})$/.exec(one.trim()) ?? []
    const port = Number(digits)
    if (host === '' || port < 1 || port > 65_535) {
      throw fail(
        'CERTIFICATE_INVALID',
        `${where}: '${one}' is no host:port, as kafka-1.example.com:9093`,
      )
    }
    return { host: hostNameOf(where, host).value, port }
  })
  const names = found.map(({ host, port }) => `${host}:${port}`)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw fail('CERTIFICATE_INVALID', `${where}: ${twice} is named twice`)
  return found
}

/** As `@peculiar/x509` takes it. */
export const sanOf = ({ type, value }: HostName): { type: 'dns' | 'ip'; value: string } => ({
  ...{ type, value },
})
