/** What brokers write down: what an authorizer refused in a file of its own. */

/** Log4j 2, as Kafka 4 reads it (`-Dlog4j2.configurationFile`). Refusals are at INFO, grants at DEBUG. */
export const auditLog = (directory: string): string =>
  `# What the broker says, and apart from it who was refused what
status = warn
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d] %p %m (%c)%n
appender.audit.type = RollingFile
appender.audit.name = audit
appender.audit.fileName = ${directory}/authorizer.log
appender.audit.filePattern = ${directory}/authorizer.log.%i
appender.audit.layout.type = PatternLayout
appender.audit.layout.pattern = [%d] %p %m%n
appender.audit.policies.type = Policies
appender.audit.policies.size.type = SizeBasedTriggeringPolicy
appender.audit.policies.size.size = 64MB
appender.audit.strategy.type = DefaultRolloverStrategy
appender.audit.strategy.max = 10
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
logger.audit.name = kafka.authorizer.logger
logger.audit.level = info
logger.audit.additivity = false
logger.audit.appenderRef.audit.ref = audit
`
