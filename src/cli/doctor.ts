/** `millrace doctor`: looks whether this machine and its state directory are well, check by check. */
import { Command } from 'commander'
import { messageOf } from '../core/errors.ts'
import { type ContextSource, processContext } from './context.ts'
import type { Check, Finding } from './doctor-check.ts'
import { directoryChecks } from './doctor-directory.ts'
import { logChecks } from './doctor-log.ts'
import { nodeChecks } from './doctor-node.ts'
import type { SetExitCode } from './exit-code.ts'

export function doctorCommand(
  setExitCode: SetExitCode,
  context: ContextSource = processContext,
): Command {
  return new Command('doctor')
    .description('check this machine and the state directory; nothing is changed')
    .option('--json', 'print the findings as one line of JSON', false)
    .addHelpText('after', '\nExample:\n  millrace doctor')
    .action(async ({ json }: { json: boolean }) => {
      const { output, directory } = context()
      const checks = [...nodeChecks(), ...directoryChecks(directory), ...logChecks(directory)]
      const findings: (Finding & { readonly name: string })[] = []
      for (const check of checks) {
        const finding = { name: check.name, ...(await examine(check)) }
        findings.push(finding)
        if (!json) await output.print(lineOf(finding))
      }
      const isWell = findings.every((finding) => finding.health !== 'fail')
      if (json) await output.print(JSON.stringify({ ok: isWell, directory, checks: findings }))
      if (!isWell) setExitCode(1)
    })
}

/** A check that cannot be made has failed. */
async function examine(check: Check): Promise<Finding> {
  try {
    return await check.run()
  } catch (error) {
    return { health: 'fail', saw: messageOf(error) }
  }
}

function lineOf({ name, health, saw, fix }: Finding & { readonly name: string }): string {
  const line = `${health.padEnd(5)} ${name.padEnd(16)} ${saw}`
  return fix === undefined ? line : `${line}\n${' '.repeat(23)}${fix}`
}
