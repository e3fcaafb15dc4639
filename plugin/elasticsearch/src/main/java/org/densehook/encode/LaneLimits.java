package org.densehook.encode;

/**
 * How a lane forms its runs and how much it lets wait.
 *
 * @param window texts that are sorted together by length; no more are read ahead of the runs
 * @param tokensPerRun padded tokens of one run
 * @param queueTokens tokens that may wait; beyond them no text is read, or one is turned away
 */
public record LaneLimits(int window, int tokensPerRun, int queueTokens) {

  public static final int WINDOW = 1024;
  public static final int TOKENS_PER_RUN = 1024;
}
