"""Bytes in, bytes out, no model: what librdkafka can do from Python.

usage: kafka_bare_librdkafka.py bootstrap input output group
"""

import sys

from confluent_kafka import Consumer, Producer


def main(bootstrap, source, target, group):
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "queued.min.messages": 500_000,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 5,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    consumer.subscribe([source])
    while True:
        for message in consumer.consume(10_000, timeout=0.05):
            while True:
                try:
                    producer.produce(
                        target,
                        message.value(),
                        partition=message.partition(),
                        timestamp=message.timestamp()[1],
                    )
                    break
                except BufferError:
                    producer.poll(0.05)
        producer.poll(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
