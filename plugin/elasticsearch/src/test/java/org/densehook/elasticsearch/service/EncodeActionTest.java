package org.densehook.elasticsearch.service;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import java.util.List;
import org.densehook.bundle.Role;
import org.elasticsearch.action.ActionRequestValidationException;
import org.junit.jupiter.api.Test;

/** What is asked of {@code _encode} is done, or refused. */
final class EncodeActionTest {

  private static ActionRequestValidationException refusal(
      Role role, List<String> images, List<String> numbers) {
    return new EncodeAction.Request(null, List.of("a"), role, images, "Find a cat", numbers)
        .validate();
  }

  @Test
  void anInstructionIsOfTextsAlone() {
    assertNull(refusal(Role.QUERY, null, null));
    assertEquals(
        List.of("[instruction] is for [role] [query]; leave it out for documents"),
        refusal(Role.DOCUMENT, null, null).validationErrors());
    List<String> said =
        List.of("[instruction] is for [texts]; leave it out for [images] and [numbers]");
    assertEquals(said, refusal(Role.QUERY, List.of("iVBOR"), null).validationErrors());
    assertEquals(said, refusal(Role.QUERY, null, List.of("[1]")).validationErrors());
  }
}
