import java.time.Duration;
import java.util.List;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** bootstrap input output group: bytes in, bytes out, no model; what the Java clients can do. */
public final class BarePeer {
  public static void main(String[] args) {
    Properties reads = new Properties();
    reads.put("bootstrap.servers", args[0]);
    reads.put("group.id", args[3]);
    reads.put("auto.offset.reset", "earliest");
    reads.put("max.poll.records", "10000");
    Properties writes = new Properties();
    writes.put("bootstrap.servers", args[0]);
    writes.put("linger.ms", "5");
    writes.put("batch.size", "262144");
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    ByteArraySerializer serializer = new ByteArraySerializer();
    KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(reads, bytes, bytes);
    KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(writes, serializer, serializer);
    consumer.subscribe(List.of(args[1]));
    while (true) {
      for (ConsumerRecord<byte[], byte[]> one : consumer.poll(Duration.ofMillis(100))) {
        producer.send(new ProducerRecord<>(args[2], one.partition(), one.timestamp(), one.key(), one.value()));
      }
    }
  }
}
