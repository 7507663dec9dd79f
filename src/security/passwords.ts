/** Passwords that nobody has to remember. */
import { randomBytes } from 'node:crypto'

/** 192 bits as letters and digits alone: no file format, shell or URL has to escape them. */
export function newPassword(): string {
  const password = randomBytes(48).toString('base64').replaceAll(/[+/=]/g, '')
  return password.length >= 32 ? password.slice(0, 32) : newPassword()
}
