package org.densehook.elasticsearch.service;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;

import java.util.ArrayList;
import java.util.List;
import org.densehook.encode.Content;
import org.elasticsearch.action.ActionListener;
import org.junit.jupiter.api.Test;

class QueryVectorsTest {

  private static final float[] VECTOR = {1, 2};

  private static final Content CATS = new Content.Text("cats");

  /** A text that is being encoded. */
  private record Running(String text, ActionListener<float[]> listener) {}

  private final List<Running> running = new ArrayList<>();
  private final List<float[]> vectors = new ArrayList<>();
  private final List<Exception> failures = new ArrayList<>();

  private QueryVectors of(int capacity) {
    return new QueryVectors(
        (text, listener) -> {
          Running started = new Running(text.given(), listener);
          running.add(started);
          return () -> running.remove(started);
        },
        () -> capacity);
  }

  private void ask(QueryVectors queries, String text) {
    queries.get(new Content.Text(text), ActionListener.wrap(vectors::add, failures::add));
  }

  @Test
  void identicalTextsInFlightAreEncodedOnce() {
    QueryVectors queries = of(0);
    for (String text : List.of("cats", "cats", "dogs", "cats")) {
      ask(queries, text);
    }
    assertEquals(List.of("cats", "dogs"), running.stream().map(Running::text).toList());
    running.get(0).listener().onResponse(VECTOR);
    assertEquals(3, vectors.size());
    vectors.forEach(vector -> assertArrayEquals(VECTOR, vector));
    assertNotSame(vectors.get(0), vectors.get(1)); // each may do with its own what it likes
    assertEquals(2, queries.served());
  }

  @Test
  void aTextOfAnotherInstructionIsAnotherQuery() {
    QueryVectors queries = of(10);
    for (String instruction : List.of("Find a cat", "Find a dog", "Find a cat")) {
      queries.get(
          new Content.Text("cats", instruction), ActionListener.wrap(vectors::add, failures::add));
    }
    ask(queries, "cats");
    assertEquals(3, running.size());
    assertEquals(1, queries.served());
  }

  @Test
  void aFailureIsToldToAllThatWaitAndNotKept() {
    QueryVectors queries = of(10);
    ask(queries, "cats");
    ask(queries, "cats");
    running.get(0).listener().onFailure(new IllegalStateException("once"));
    assertEquals(2, failures.size());
    ask(queries, "cats");
    assertEquals(2, running.size());
  }

  @Test
  void oneThatThrowsCostsTheOthersNothing() {
    QueryVectors queries = of(0);
    queries.get(
        CATS,
        ActionListener.wrap(
            vector -> {
              throw new IllegalStateException("a receiver's fault");
            },
            failures::add));
    ask(queries, "cats");
    running.get(0).listener().onResponse(VECTOR);
    assertEquals(1, vectors.size());
    assertEquals(1, failures.size());
  }

  @Test
  void theOneNotAskedForLongestGivesItsPlaceToANewOne() {
    QueryVectors queries = of(2);
    for (String text : List.of("one", "two", "one", "three")) {
      ask(queries, text);
      running.forEach(each -> each.listener().onResponse(VECTOR));
      running.clear();
    }
    ask(queries, "one");
    assertEquals(List.of(), running);
    ask(queries, "two");
    assertEquals(1, running.size());
  }

  @Test
  void whenOneOfSeveralLeavesTheOthersGetTheVector() {
    QueryVectors queries = of(0);
    ActionListener<float[]> leaves = ActionListener.running(() -> failures.add(null));
    queries.get(CATS, leaves);
    ask(queries, "cats");
    queries.leave(CATS, leaves);
    assertEquals(1, running.size());
    running.get(0).listener().onResponse(VECTOR);
    assertEquals(1, vectors.size());
    assertEquals(List.of(), failures);
  }

  @Test
  void aTextThatNobodyWaitsForIsCalledOff() {
    QueryVectors queries = of(0);
    ActionListener<float[]> leaves = ActionListener.wrap(vectors::add, failures::add);
    queries.get(CATS, leaves);
    queries.leave(CATS, leaves);
    assertEquals(List.of(), running);
    ask(queries, "cats"); // and begins anew when it is asked for again
    assertEquals(1, running.size());
    running.get(0).listener().onResponse(VECTOR);
    assertEquals(1, vectors.size());
  }
}
