import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * What a key spent in the hour up to its newest message: a running sum a key, and its single values by
 * time, which are taken away again as they fall out. A message that is late by seconds gets the newest
 * sum instead of the one of its own time, which is less than Millrace promises, and cheaper.
 */
final class RollingSum extends ContextualFixedKeyProcessor<String, byte[], byte[]> {
  static final String SUMS = "sums";
  static final String VALUES = "values";
  private static final long HOUR_MS = 3_600_000;
  private final ObjectMapper mapper;
  private KeyValueStore<String, Bytes> sums;
  private KeyValueStore<Bytes, Double> values;

  RollingSum(ObjectMapper mapper) {
    this.mapper = mapper;
  }

  @Override
  public void init(FixedKeyProcessorContext<String, byte[]> context) {
    super.init(context);
    sums = context.getStateStore(SUMS);
    values = context.getStateStore(VALUES);
  }

  @Override
  public void process(FixedKeyRecord<String, byte[]> record) {
    try {
      ObjectNode payment = (ObjectNode) mapper.readTree(record.value());
      payment.put("spent1h", add(record.key(), payment.get("amount").doubleValue(), record.timestamp()));
      context().forward(record.withValue(mapper.writeValueAsBytes(payment)));
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  /** Of a key: its sum, the oldest and the newest time of what is in it, and how many it ever had. */
  private double add(String key, double amount, long timeMs) {
    Bytes found = sums.get(key);
    ByteBuffer known = found == null ? null : ByteBuffer.wrap(found.get());
    double sum = known == null ? 0 : known.getDouble();
    long oldestMs = known == null ? timeMs : Math.min(timeMs, known.getLong());
    long newestMs = known == null ? timeMs : Math.max(timeMs, known.getLong());
    long number = known == null ? 0 : known.getLong();
    byte[] name = key.getBytes(StandardCharsets.UTF_8);
    if (timeMs > newestMs - HOUR_MS) {
      sum += amount;
      values.put(place(name, timeMs, number), amount);
    }
    if (oldestMs <= newestMs - HOUR_MS) {
      Bytes from = place(name, oldestMs, 0);
      oldestMs = newestMs;
      try (KeyValueIterator<Bytes, Double> all = values.range(from, place(name, newestMs, Long.MAX_VALUE))) {
        while (all.hasNext()) {
          KeyValue<Bytes, Double> one = all.next();
          long atMs = ByteBuffer.wrap(one.key.get()).getLong(name.length + 1);
          if (atMs > newestMs - HOUR_MS) {
            oldestMs = atMs;
            break;
          }
          sum -= one.value;
          values.delete(one.key);
        }
      }
    }
    ByteBuffer next = ByteBuffer.allocate(32);
    next.putDouble(sum).putLong(oldestMs).putLong(newestMs).putLong(number + 1);
    sums.put(key, Bytes.wrap(next.array()));
    return sum;
  }

  private static Bytes place(byte[] name, long timeMs, long number) {
    ByteBuffer place = ByteBuffer.allocate(name.length + 17);
    place.put(name).put((byte) 0).putLong(timeMs).putLong(number);
    return Bytes.wrap(place.array());
  }
}
