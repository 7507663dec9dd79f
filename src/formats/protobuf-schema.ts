/**
 * Schemas of Protobuf as registries keep them: .proto text, or a file descriptor in base64; their imports;
 * and where in its file a message stands, which is how the wire format names it.
 */
import type protobufjs from 'protobufjs'
import type { Root, Type } from 'protobufjs'
import type { ImportedSchema } from './registry.ts'

export type ProtobufLibrary = typeof protobufjs

/** The library with what is loaded beside it. */
export interface ProtobufTools {
  readonly library: ProtobufLibrary
  readonly json: typeof import('protobufjs/ext/protojson.js')
  readonly descriptor: typeof import('protobufjs/ext/descriptor.js')
}

/** A message of a file, with those inside it; entries of maps are messages too, and count. */
export interface MessageNode {
  readonly name: string
  readonly nested: MessageNode[]
}

export class ProtobufSchema {
  readonly #root: Root
  readonly #package: string
  readonly #messages: readonly MessageNode[]

  constructor(root: Root, packageName: string, messages: readonly MessageNode[]) {
    this.#root = root
    this.#package = packageName
    this.#messages = messages
  }

  /** The message at a path of numbers: of the file, then inside that message, and so on. */
  typeAt(path: readonly number[]): Type {
    const names: string[] = []
    let messages = this.#messages
    for (const index of path) {
      const node = messages[index]
      if (node === undefined) throw new Error(`it has no message [${path.join(', ')}]`)
      names.push(node.name)
      messages = node.nested
    }
    return this.type(this.#full(names))
  }

  /** By its name, with or without the package. */
  type(name: string): Type {
    const found = this.#root.lookup(`.${name}`) ?? this.#root.lookup(`.${this.#full([name])}`)
    if (found !== null && 'fieldsArray' in found) return found as Type
    const known = this.#messages.map((one) => this.#full([one.name])).join(', ')
    throw new Error(`it has no message ${name}; there are: ${known || 'none'}`)
  }

  /** Where a message stands; undefined: it is not of this file. */
  pathOf(type: Type): readonly number[] | undefined {
    const full = nameOf(type)
    const within = this.#package === '' ? '' : `${this.#package}.`
    if (!full.startsWith(within)) return undefined
    const path: number[] = []
    let messages = this.#messages
    for (const name of full.slice(within.length).split('.')) {
      const index = messages.findIndex((one) => one.name === name)
      if (index < 0) return undefined
      path.push(index)
      messages = messages[index]!.nested
    }
    return path
  }

  #full(names: readonly string[]): string {
    return (this.#package === '' ? names : [this.#package, ...names]).join('.')
  }
}

/** `shop.Order` */
export const nameOf = (type: Type) => type.fullName.replace(/^\./, '')

/** Throws what is wrong with the schema, in words. */
export function readSchema(
  tools: ProtobufTools,
  text: string,
  imports: readonly ImportedSchema[],
): ProtobufSchema {
  const others = imports.filter(({ name }) => common(tools, name) === null)
  if (isBase64(text)) return readDescriptor(tools, text, others)
  const { library } = tools
  const root = new library.Root()
  const parse = (one: string) => {
    if (isBase64(one)) throw new Error('it is text, and what it imports is a descriptor')
    return library.parse(one, root, { keepCase: true })
  }
  const parsedOthers = others.map((one) => parse(one.text))
  const parsed = parse(text)
  const wanted = [...parsedOthers, parsed].flatMap((one) => [
    ...(one.imports ?? []),
    ...(one.weakImports ?? []),
  ])
  const missing = wanted.filter(
    (name) => common(tools, name) === null && !others.some((one) => one.name === name),
  )
  addCommon(tools, root, wanted)
  try {
    root.resolveAll()
  } catch (error) {
    if (missing.length === 0) throw error
    // An import for options only is never missed; one with a type is.
    const what = `it imports ${missing.join(', ')}, which the registry has no reference for`
    throw new Error(`${(error as Error).message}; ${what}`)
  }
  return new ProtobufSchema(root, parsed.package ?? '', messagesIn(library, text))
}

/** Google's own files are the library's: `google/protobuf/timestamp.proto`. */
const common = ({ library }: ProtobufTools, name: string) => library.common.get(name)

function addCommon(tools: ProtobufTools, root: Root, names: readonly string[]): void {
  for (const name of new Set(names)) {
    const known = common(tools, name)
    if (known !== null) root.addJSON(known.nested!)
  }
}

/** Text has a statement, which ends in a semicolon or a brace. */
const isBase64 = (text: string) => /^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text)

interface FileNode {
  readonly package?: string | null
  readonly dependency?: readonly string[] | null
  readonly messageType?: readonly DescriptorNode[] | null
}

interface DescriptorNode {
  readonly name?: string | null
  readonly nestedType?: readonly DescriptorNode[] | null
}

/** As some serialisers register it, and some registries keep it: compiled, with all names in full. */
function readDescriptor(
  tools: ProtobufTools,
  text: string,
  imports: readonly ImportedSchema[],
): ProtobufSchema {
  const { library, descriptor } = tools
  const decode = (one: string) =>
    descriptor.FileDescriptorProto.decode(Buffer.from(one, 'base64')) as unknown as FileNode
  const files = [...imports.map((one) => decode(one.text)), decode(text)]
  const google = new library.Root()
  addCommon(
    tools,
    google,
    files.flatMap((one) => one.dependency ?? []),
  )
  google.resolveAll()
  const known = google.toDescriptor('proto3') as unknown as { file: FileNode[] }
  const root = library.Root.fromDescriptor({ file: [...known.file, ...files] } as never)
  const { package: packageName, messageType } = files.at(-1)!
  return new ProtobufSchema(root, packageName ?? '', (messageType ?? []).map(nodeOf))
}

function nodeOf({ name, nestedType }: DescriptorNode): MessageNode {
  return { name: name ?? '', nested: (nestedType ?? []).map(nodeOf) }
}

/**
 * The messages of a file in their order, as protoc numbers them: a map field stands for the message of
 * its entries. The library keeps fields and messages apart, and so not their order.
 */
function messagesIn(library: ProtobufLibrary, text: string): readonly MessageNode[] {
  const tokens = library.tokenize(text, false)
  const file: MessageNode = { name: '', nested: [] }
  // Undefined: a block that holds no messages, such as an enum.
  const open: (MessageNode | undefined)[] = [file]
  let statement: string[] = []
  for (let token = tokens.next(); token !== null; token = tokens.next()) {
    const inside = open.at(-1)
    if (token === '{') {
      const name = blockName(statement)
      const made = name === undefined ? undefined : { name, nested: [] }
      if (made !== undefined) inside?.nested.push(made)
      // What stands in a oneof stands in its message.
      open.push(statement[0] === 'oneof' ? inside : made)
      statement = []
    } else if (token === '}') {
      open.pop()
      statement = []
    } else if (token === ';') {
      statement = []
    } else {
      statement.push(token)
      if (token === '<' && statement.length === 2 && statement[0] === 'map') {
        inside?.nested.push({ name: '(entry)', nested: [] })
      }
    }
  }
  return file.nested
}

/** The message that a block declares: `message X`, `export message X`, `optional group X = 1`. */
function blockName(statement: readonly string[]): string | undefined {
  for (const at of [0, 1]) {
    if (statement[at] === 'message' && statement.length === at + 2) return statement[at + 1]
    if (statement[at] === 'group') return statement[at + 1]
  }
  return undefined
}
