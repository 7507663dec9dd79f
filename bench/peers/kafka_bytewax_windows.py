"""Bytewax: a rolling sum and counts a minute, in memory alone, orjson; at least once.

usage: kafka_bytewax_windows.py bootstrap input output counts group directory
"""

import sys
from collections import deque
from datetime import datetime, timedelta, timezone

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.operators.windowing import EventClock, TumblingWindower, count_window
from bytewax.testing import run_main
from orjson import dumps, loads

BATCH = 2000
HOUR_MS = 3_600_000
MINUTE = timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def spent(state, message):
    """A running sum a key, and its values as a queue, by the order in which they came."""
    time_ms = message.timestamp[1]
    total, newest, values = state or (0.0, time_ms, deque())
    newest = max(newest, time_ms)
    payment = loads(message.value)
    values.append((time_ms, payment["amount"]))
    total += payment["amount"]
    while values[0][0] <= newest - HOUR_MS:
        total -= values.popleft()[1]
    payment["spent1h"] = total
    out = KafkaSinkMessage(message.key, dumps(payment), timestamp=time_ms)
    return (total, newest, values), out


def result(keyed):
    key, (number, count) = keyed
    start = EPOCH + number * MINUTE
    row = {"key": key, "start": start, "end": start + MINUTE, "payments": count}
    return KafkaSinkMessage(key.encode(), dumps(row))


def main(bootstrap, source, target, counts, _group, _directory):
    flow = Dataflow("bench")
    messages = op.input("in", flow, KafkaSource([bootstrap], [source], batch_size=BATCH))
    settings = {"linger.ms": "5", "batch.size": "1000000"}
    keyed = op.key_on("key", messages, lambda message: message.key.decode())
    rolled = op.key_rm("unkey", op.stateful_map("spent", keyed, spent))
    op.output("out", rolled, KafkaSink([bootstrap], target, add_config=settings))
    clock = EventClock(
        lambda message: datetime.fromtimestamp(message.timestamp[1] / 1000, timezone.utc),
        wait_for_system_duration=timedelta(seconds=10),
    )
    windower = TumblingWindower(length=MINUTE, align_to=EPOCH)
    windows = count_window(
        "count", messages, clock, windower, lambda message: message.key.decode()
    )
    closed = op.map("result", windows.down, result)
    op.output("counts", closed, KafkaSink([bootstrap], counts, add_config=settings))
    run_main(flow)


if __name__ == "__main__":
    main(*sys.argv[1:])
