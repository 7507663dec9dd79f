/**
 * The pages of docs/guide, run: every block of shell is executed in order, and the block of text
 * behind it is what it printed. A block behind `<!-- file: NAME -->` is written to that file, and has
 * to pass the compiler where it is TypeScript. `npm run guide` writes the pages anew;
 * `guideDifferences` tells where a page no longer says what happens. Figures of time and hashes may
 * differ.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = join(root, 'docs', 'guide')
const blocks =
  /<!-- file: (\S+) -->\n```\w*\n(.*?)```\n|```sh\n(.*?)```\n(?:\n```text\n(.*?)```\n)?/gs

/** What a page would say now, by its name, beside what it says; `only` those with that in their names. */
export function runGuide(only = ''): {
  readonly name: string
  readonly says: string
  readonly is: string
}[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md') && name.includes(only))
    .map((name) => {
      const says = readFileSync(join(folder, name), 'utf8')
      return { name, says, is: runPage(says) }
    })
}

/** What may differ from run to run, as one word. */
export function withoutChance(page: string): string {
  return (
    page
      .replace(/\b[0-9a-f]{12,64}\b/g, 'HASH')
      .replace(/\d+(\.\d+)? (s|ms|min|seconds?|minutes?)\b|\bnow\b/g, 'TIME')
      .replace(/"seconds":[\d.]+/g, '"seconds":TIME')
      .replace(/"messagesPerSecond":[\d.]+/g, '"messagesPerSecond":RATE')
      // Times before are those of messages that a page made up, and have to be right.
      .replace(/20(2[6-9]|[3-9]\d)-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?Z?/g, 'WHEN')
      .replace(/[\d,]+ (rows|texts)\/s/g, 'RATE')
      .replace(/[\d.]+ ([KM]i)?B\b/g, 'SIZE')
      .replace(/ +/g, ' ')
  )
}

function runPage(page: string): string {
  // Inside the repository, so that packages are found as a user's would be.
  const place = mkdtempSync(join(root, 'test', 'guide-'))
  try {
    symlinkSync(join(root, 'examples'), join(place, 'examples'))
    let hasTypes = false
    const told = page.replace(blocks, (block, file, content, commands, printed) => {
      if (file !== undefined) {
        mkdirSync(dirname(join(place, file)), { recursive: true })
        writeFileSync(join(place, file), content)
        if (file.endsWith('.ts')) hasTypes = true
        return block
      }
      const output = runShell(commands, place)
      return printed === undefined
        ? block
        : `\`\`\`sh\n${commands}\`\`\`\n\n\`\`\`text\n${output}\`\`\`\n`
    })
    if (hasTypes) checkTypes(place)
    return told
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/** Throws what the compiler says of the files that a page shows. */
function checkTypes(place: string): void {
  const config = { extends: '../../tsconfig.json', include: ['*.ts'] }
  writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(config))
  const compiler = join(root, 'node_modules', '.bin', 'tsc')
  const { status, stdout } = spawnSync(compiler, ['-p', place], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`what the guide shows has wrong types:\n${stdout}`)
}

/** Both what goes to a person and the results, as a terminal shows them. Throws when it fails. */
function runShell(commands: string, place: string): string {
  const command = `${process.execPath} ${join(root, 'bin', 'millrace.js')}`
  const script = commands
    .replaceAll('npx millrace', command)
    .replaceAll(/^node /gm, `${process.execPath} `)
  // Run by a test, what a command tests would tell it to that one.
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env
  const { status, stdout } = spawnSync('bash', ['-euc', `exec 2>&1\n${script}`], {
    cwd: place,
    encoding: 'utf8',
    env: { ...environment, MILLRACE_DIR: join(place, '.millrace') },
  })
  if (status !== 0) throw new Error(`the guide's command failed:\n${commands}\n${stdout}`)
  return stdout.replaceAll(`${place}/`, '')
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, says, is } of runGuide(process.argv[2])) {
    writeFileSync(join(folder, name), is)
    console.log(`docs/guide/${name}: ${says === is ? 'as it was' : 'written anew'}`)
  }
  execFileSync('git', ['diff', '--stat', '--', folder], { cwd: root, stdio: 'inherit' })
}
