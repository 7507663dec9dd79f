"""confluent-kafka (librdkafka), batches of 2,000 through one predict_proba, orjson; at least once.

usage: kafka_confluent_batches.py bootstrap input output group rows.ndjson model.tsv
"""

import sys

from confluent_kafka import Consumer, Producer
from kafka_sentiment import Sentiment
from orjson import dumps, loads

BATCH = 2000


def main(bootstrap, source, target, group, *files):
    sentiment = Sentiment(*files)
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
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
        # Waits for a full batch no longer than this, so that a steady rate is answered soon.
        messages = consumer.consume(BATCH, timeout=0.02)
        if not messages:
            continue
        rows = sentiment.score([loads(message.value()) for message in messages])
        for message, row in zip(messages, rows):
            while True:
                try:
                    producer.produce(
                        target,
                        dumps(row),
                        partition=message.partition(),
                        timestamp=message.timestamp()[1],
                    )
                    break
                except BufferError:
                    producer.poll(0.05)
        producer.poll(0)
        consumer.commit(asynchronous=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
