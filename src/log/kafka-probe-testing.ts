/** Small servers for tests of the probes: with certificates of src/log/fixtures, or saying a few bytes. */
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { Writer } from '@platformatic/kafka'
import type { Place } from './kafka-probe.ts'

const file = new URL('fixtures/certificates.json', import.meta.url)

type Name = 'key' | 'ca' | 'otherCa' | 'good' | 'expired' | 'early' | 'otherName' | 'expiredByOther'

export const certificates: Readonly<Record<Name, string>> = JSON.parse(readFileSync(file, 'utf8'))

export interface TestServer extends Place {
  close(): Promise<void>
}

/** Shows a certificate, and reads what it is sent. */
export function serveTls(certificate: Name, options: TlsOptions = {}): Promise<TestServer> {
  const { key } = certificates
  const server = createTlsServer({ key, cert: certificates[certificate], ...options }, (socket) => {
    socket.on('error', () => undefined)
    socket.resume()
  })
  server.on('tlsClientError', () => undefined)
  return listening(server)
}

/** Does with a connection what the test says. */
export function servePlain(take: (socket: Socket) => void): Promise<TestServer> {
  return listening(
    createServer((socket) => {
      socket.on('error', () => undefined)
      take(socket)
    }),
  )
}

async function listening(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    ...{ host: '127.0.0.1', port },
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

export interface FakeBroker {
  /** Requests it knows, by key, each from version 0 to this. */
  readonly requests: readonly (readonly [key: number, max: number])[]
  /** What it offers; undefined: no SASL here. */
  readonly mechanisms?: readonly string[]
  /** What it says where the brokers are; default: where it is. */
  readonly advertised?: Place
}

const [metadataKey, handshakeKey, versionsKey] = [3, 17, 18]
const mostBytes = 100 * 1024 * 1024
const illegalSaslState = 34

/** Speaks as much of Kafka as a probe asks for; whoever signs in is not taken. */
export function serveKafka(broker: FakeBroker): Promise<TestServer> {
  return servePlain((socket) => {
    let bytes = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      // As Kafka does with what is no request, such as the beginning of TLS.
      if (bytes.length >= 4 && bytes.readUInt32BE(0) > mostBytes) socket.destroy()
      while (bytes.length >= 4 && bytes.length >= 4 + bytes.readInt32BE(0)) {
        const end = 4 + bytes.readInt32BE(0)
        const answer = answerTo(bytes.subarray(4, end), broker, socket.localPort!)
        bytes = bytes.subarray(end)
        if (answer === undefined) socket.destroy()
        else socket.write(answer)
      }
    })
  })
}

function answerTo(request: Buffer, broker: FakeBroker, port: number): Buffer | undefined {
  const key = request.readInt16BE(0)
  const writer = Writer.create().appendInt32(request.readInt32BE(4))
  const here = broker.advertised ?? { host: '127.0.0.1', port }
  if (key === versionsKey) writeVersions(writer, broker, request.readInt16BE(2))
  else if (key === handshakeKey) {
    const { mechanisms } = broker
    writer.appendInt16(mechanisms === undefined ? illegalSaslState : 0)
    writer.appendArray(
      [...(mechanisms ?? [])],
      (w, one) => w.appendString(one, false),
      false,
      false,
    )
  } else if (key === metadataKey) writeMetadata(writer, here)
  else return undefined
  return writer.prependLength().buffer
}

function writeVersions(writer: Writer, { requests }: FakeBroker, version: number): void {
  const isFlexible = version >= 3
  writer.appendInt16(0)
  writer.appendArray(
    [...requests],
    (w, [key, max]) => w.appendInt16(key).appendInt16(0).appendInt16(max),
    ...[isFlexible, isFlexible],
  )
  writer.appendInt32(0)
  if (isFlexible) writer.appendTaggedFields()
}

function writeMetadata(writer: Writer, { host, port }: Place): void {
  writer.appendTaggedFields().appendInt32(0)
  writer.appendArray([{ host, port }], (w, one) => {
    w.appendInt32(7).appendString(one.host).appendInt32(one.port).appendString(null)
  })
  writer.appendString('fake').appendInt32(7)
  writer.appendArray([], () => undefined).appendTaggedFields()
}
