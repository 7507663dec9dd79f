"""What everyone starts with: kafka-python, json, one predict_proba a message; at least once.

usage: kafka_python_each.py bootstrap input output group rows.ndjson model.tsv
"""

import json
import sys

from kafka import KafkaConsumer, KafkaProducer
from kafka_sentiment import Sentiment


def main(bootstrap, source, target, group, *files):
    sentiment = Sentiment(*files)
    consumer = KafkaConsumer(
        source,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        value_deserializer=json.loads,
    )
    producer = KafkaProducer(
        bootstrap_servers=bootstrap, value_serializer=lambda row: json.dumps(row).encode()
    )
    for message in consumer:
        (row,) = sentiment.score([message.value])
        producer.send(
            target, row, partition=message.partition, timestamp_ms=message.timestamp
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
