/** Java properties files as Kafka reads them. */

/** A heading, then its settings; values are escaped. */
export interface PropertiesPart {
  readonly comment: string
  readonly settings: Readonly<Record<string, string>>
}

export function propertiesText(parts: readonly PropertiesPart[]): string {
  const blocks = parts.map(({ comment, settings }) => {
    const lines = Object.entries(settings).map(([name, value]) => `${name}=${escaped(value)}`)
    return [...comment.split('\n').map((line) => `# ${line}`), ...lines, ''].join('\n')
  })
  return blocks.join('\n')
}

/** As `java.util.Properties` reads it back; other than ASCII it reads as Latin-1. */
const escaped = (value: string): string =>
  value
    .replaceAll('\\', '\\\\')
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t')
    .replace(/^ /, '\\ ')
    .replaceAll(/[^\x20-\x7e\\]/g, (one) => {
      return [...one]
        .flatMap((point) => Array.from({ length: point.length }, (_, at) => point.charCodeAt(at)))
        .map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`)
        .join('')
    })

/** A user's sign-in, as JAAS has it. */
export function scramLogin(username: string, password: string): string {
  const quoted = (text: string) => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
  const login = 'org.apache.kafka.common.security.scram.ScramLoginModule required'
  return `${login} username=${quoted(username)} password=${quoted(password)};`
}
