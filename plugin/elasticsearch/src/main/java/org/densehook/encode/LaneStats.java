package org.densehook.encode;

import java.util.Arrays;
import java.util.List;

/** What a lane did since it was opened. */
public final class LaneStats {

  private static final int LATENCIES = 1024;

  private long texts;
  private long tokens;
  private long truncatedTexts;
  private long lostTokens;
  private long batches;
  private long paddedTokens;
  private long failed;
  private long rejected;
  private long shortened;
  private final long[] latencies = new long[LATENCIES];

  /**
   * The numbers at one moment.
   *
   * @param paddedTokens tokens of all runs, padding included
   * @param failed texts without a vector: they have no tokens, or the encoder cannot run them
   * @param rejected texts that were turned away since others waited
   * @param shortened texts of which the first chunks alone were encoded
   * @param p50Nanos median time from a text coming in to its vector, over the last 1,024 texts
   * @param p99Nanos 99th percentile of the same
   */
  public record Snapshot(
      long texts,
      long tokens,
      long truncatedTexts,
      long lostTokens,
      long batches,
      long paddedTokens,
      long failed,
      long rejected,
      long shortened,
      long p50Nanos,
      long p99Nanos) {}

  synchronized void ran(List<Job> run) {
    long now = System.nanoTime();
    int longest = 0;
    for (Job job : run) {
      latencies[(int) (texts % LATENCIES)] = now - job.startedNanos();
      texts++;
      tokens += job.tokens().length();
      truncatedTexts += job.tokens().lost() > 0 ? 1 : 0;
      lostTokens += job.tokens().lost();
      longest = Math.max(longest, job.tokens().length());
    }
    batches++;
    paddedTokens += (long) longest * run.size();
  }

  /** Counts texts that get no vector. */
  public synchronized void failed(int count) {
    failed += count;
  }

  /** Counts a text that is turned away. */
  public synchronized void rejected() {
    rejected++;
  }

  /** Counts a text of more chunks than are made. */
  public synchronized void shortened() {
    shortened++;
  }

  /** The numbers now. */
  public synchronized Snapshot snapshot() {
    long[] sorted = Arrays.copyOf(latencies, (int) Math.min(texts, LATENCIES));
    Arrays.sort(sorted);
    return new Snapshot(
        texts,
        tokens,
        truncatedTexts,
        lostTokens,
        batches,
        paddedTokens,
        failed,
        rejected,
        shortened,
        quantile(sorted, 0.5),
        quantile(sorted, 0.99));
  }

  private static long quantile(long[] sorted, double share) {
    return sorted.length == 0 ? 0 : sorted[(int) Math.ceil(share * sorted.length) - 1];
  }
}
