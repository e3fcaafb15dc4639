package org.densehook.elasticsearch.write;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.densehook.elasticsearch.vectors.EmbeddedField;
import org.elasticsearch.action.ActionListener;
import org.elasticsearch.action.DocWriteRequest.OpType;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.common.util.concurrent.ThreadContext;
import org.junit.jupiter.api.Test;

class OutdatedTest {

  private static final EmbeddedField ONE =
      new EmbeddedField("one", List.of("a"), "encoder", "1", false);
  private static final EmbeddedField TWO =
      new EmbeddedField("two", List.of("b"), "encoder", "1", false);

  private final ThreadContext context = new ThreadContext(Settings.EMPTY);

  @Test
  void aMarkHoldsForMergedDocumentsOfTheseFields() {
    Outdated.merged(
        context,
        List.of(ONE),
        ActionListener.noop(),
        listener -> {
          assertTrue(Outdated.is(context, ONE, OpType.INDEX));
          assertFalse(Outdated.is(context, ONE, OpType.CREATE));
          assertFalse(Outdated.is(context, TWO, OpType.INDEX));
        });
    assertFalse(Outdated.is(context, ONE, OpType.INDEX));
  }

  @Test
  void aMarkOfAllDocumentsHoldsForAllFieldsAndKinds() {
    Outdated.all(
        context,
        ActionListener.noop(),
        listener -> {
          assertTrue(Outdated.is(context, ONE, OpType.CREATE));
          assertTrue(Outdated.is(context, TWO, OpType.INDEX));
        });
  }

  @Test
  void whatComesAfterIsNotMarked() {
    List<Boolean> marked = new ArrayList<>();
    ActionListener<String> after =
        ActionListener.wrap(
            response -> marked.add(Outdated.is(context, ONE, OpType.INDEX)),
            failure -> marked.add(Outdated.is(context, ONE, OpType.INDEX)));
    Outdated.merged(context, after, listener -> listener.onResponse("done"));
    Outdated.merged(context, after, listener -> listener.onFailure(new Exception("failed")));
    assertEquals(List.of(false, false), marked);
  }

  @Test
  void aMarkWithinAMarkIsNoMistake() {
    Outdated.all(
        context,
        ActionListener.noop(),
        listener ->
            Outdated.merged(
                context,
                List.of(ONE),
                listener,
                inner -> assertTrue(Outdated.is(context, TWO, OpType.CREATE))));
  }
}
