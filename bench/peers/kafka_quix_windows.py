"""Quix Streams: a rolling sum and counts a minute, in its RocksDB state; exactly once.

usage: kafka_quix_windows.py bootstrap input output counts group directory
"""

import sys
from datetime import datetime, timezone

from quixstreams import Application

MINUTE_MS = 60_000
HOUR_MS = 3_600_000


def iso(time_ms):
    return datetime.fromtimestamp(time_ms / 1000, timezone.utc).isoformat()


def spent(payment, _key, time_ms, _headers, state):
    """A running sum a key, and its values as a queue, by the order in which they came."""
    total, newest, oldest, first, end = state.get("head") or (0.0, time_ms, time_ms, 0, 0)
    newest = max(newest, time_ms)
    state.set(f"v{end}", (time_ms, payment["amount"]))
    total += payment["amount"]
    end += 1
    # Nothing is read before something falls out.
    while oldest <= newest - HOUR_MS:
        total -= state.get(f"v{first}")[1]
        state.delete(f"v{first}")
        first += 1
        oldest = state.get(f"v{first}")[0] if first < end else newest
    state.set("head", (total, newest, oldest, first, end))
    return {**payment, "spent1h": total}


def result(window, key, _time_ms, _headers):
    return {
        "key": key,
        "start": iso(window["start"]),
        "end": iso(window["end"]),
        "payments": window["value"],
    }


def main(bootstrap, source, target, counts, group, directory):
    app = Application(
        broker_address=bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        auto_create_topics=True,
        loglevel="WARNING",
        state_dir=directory,
        processing_guarantee="exactly-once",
    )
    payments = app.dataframe(app.topic(source, value_deserializer="json", key_deserializer="str"))
    rolled = payments.apply(spent, stateful=True, metadata=True)
    rolled.to_topic(app.topic(target, value_serializer="json", key_serializer="str"))
    windows = payments.tumbling_window(MINUTE_MS, grace_ms=10_000).count()
    closed = windows.final(closing_strategy="partition").apply(result, metadata=True)
    closed.to_topic(app.topic(counts, value_serializer="json", key_serializer="str"))
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
