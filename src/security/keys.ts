/** Key pairs of certificates, as PEM: plain, or encrypted by a passphrase. */
import { createPrivateKey, type KeyObject, type webcrypto } from 'node:crypto'
import { codeOf, fail } from '../core/errors.ts'

export type CryptoKey = webcrypto.CryptoKey
export type CryptoKeyPair = webcrypto.CryptoKeyPair

/** P-256 is small and fast; RSA is for clients that know nothing else. */
export type KeyKind = 'ec' | 'rsa'
export const keyKinds: readonly KeyKind[] = ['ec', 'rsa']

const rsaBits = 3072

/** How a key of each kind is made, and how it signs. */
export const keyAlgorithms = {
  ec: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  rsa: {
    ...{ name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
    ...{ modulusLength: rsaBits, publicExponent: new Uint8Array([1, 0, 1]) },
  },
} as const

export async function makeKeys(kind: KeyKind): Promise<CryptoKeyPair> {
  const keys = await crypto.subtle.generateKey(keyAlgorithms[kind], true, ['sign', 'verify'])
  return keys as CryptoKeyPair
}

/** PKCS #8, as text; by a passphrase it is encrypted with AES-256 (PBES2, PBKDF2). */
export async function keyToPem(key: CryptoKey, passphrase?: string): Promise<string> {
  const object = createPrivateKey({ ...{ key: await pkcs8Of(key), format: 'der', type: 'pkcs8' } })
  const plain = { type: 'pkcs8', format: 'pem' } as const
  const encrypted = { ...plain, cipher: 'aes-256-cbc', passphrase: passphrase ?? '' }
  return object.export(passphrase === undefined ? plain : encrypted).toString()
}

export const pkcs8Of = async (key: CryptoKey): Promise<Buffer> =>
  Buffer.from(await crypto.subtle.exportKey('pkcs8', key))

/** Throws `CERTIFICATE_INVALID` where the passphrase is wrong, or the text is no key of a kind known here. */
export async function keyFromPem(
  where: string,
  pem: string,
  passphrase?: string,
): Promise<CryptoKey> {
  const object = readKey(where, pem, passphrase)
  const kind = kindOf(where, object)
  const bytes = object.export({ type: 'pkcs8', format: 'der' })
  return crypto.subtle.importKey('pkcs8', bytes, keyAlgorithms[kind], true, ['sign'])
}

function readKey(where: string, pem: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem', passphrase: passphrase ?? '' })
  } catch (error) {
    const isLocked = pem.includes('ENCRYPTED')
    const words = isLocked
      ? 'the passphrase does not open this key'
      : `this is no private key in PEM (${codeOf(error) ?? 'unreadable'})`
    throw fail('CERTIFICATE_INVALID', `${where}: ${words}`)
  }
}

function kindOf(where: string, key: KeyObject): KeyKind {
  const { asymmetricKeyType, asymmetricKeyDetails } = key
  if (asymmetricKeyType === 'rsa') return 'rsa'
  if (asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1') return 'ec'
  const found = `${asymmetricKeyType} ${asymmetricKeyDetails?.namedCurve ?? ''}`.trim()
  throw fail('CERTIFICATE_INVALID', `${where}: a key of ${found}; RSA or P-256 is needed`)
}
