package org.densehook.encode;

/**
 * How a lane forms its runs and how much it lets wait.
 *
 * @param window texts that are sorted together by length
 * @param tokensPerRun padded tokens of one run
 * @param queueTokens tokens that may wait; beyond them a text is turned away
 */
public record LaneLimits(int window, int tokensPerRun, int queueTokens) {

  public static final int WINDOW = 1024;
  public static final int TOKENS_PER_RUN = 1024;
}
