package org.densehook.encode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class PackingTest {

  @Test
  void packsAsPythonDoes() {
    int[] lengths = {
      122, 67, 190, 243, 34, 7, 241, 133, 120, 99, 241, 244, 204, 78, 119, 78, 200, 8, 33, 82, 22,
      155, 16, 138, 243, 199, 219, 203, 228, 69, 188, 50, 19, 70, 254, 112, 133, 224, 155, 216
    };
    List<List<Integer>> python =
        List.of(
            List.of(34, 11),
            List.of(3, 24),
            List.of(6, 10),
            List.of(28, 37),
            List.of(26, 39),
            List.of(12, 27),
            List.of(16, 25),
            List.of(2, 30),
            List.of(21, 38, 23),
            List.of(7, 36, 0),
            List.of(8, 14, 35, 9),
            List.of(19, 13, 15, 33, 29, 1),
            List.of(31),
            List.of(4, 18),
            List.of(20, 32),
            List.of(22),
            List.of(17, 5));
    assertEquals(python, Packing.pack(lengths, 512, Packing.MAX_PADDING));
  }

  @RepeatedTest(50)
  void losesNothingAndKeepsItsBudget(RepetitionInfo repetition) {
    Random chance = new Random(repetition.getCurrentRepetition());
    int[] lengths = chance.ints(chance.nextInt(300), 1, 700).toArray();
    Set<Integer> seen = new HashSet<>();
    for (List<Integer> run : Packing.pack(lengths, 512, Packing.MAX_PADDING)) {
      int longest = run.stream().mapToInt(i -> lengths[i]).max().orElseThrow();
      int used = run.stream().mapToInt(i -> lengths[i]).sum();
      int area = longest * run.size();
      assertTrue(run.size() == 1 || area <= 512);
      assertTrue(area - used <= Packing.MAX_PADDING * area);
      run.forEach(i -> assertTrue(seen.add(i)));
    }
    assertEquals(lengths.length, seen.size());
  }

  @RepeatedTest(50)
  void withoutPaddingTextsOfOneLengthRunTogether(RepetitionInfo repetition) {
    Random chance = new Random(repetition.getCurrentRepetition());
    int[] lengths = chance.ints(chance.nextInt(300), 1, 30).toArray();
    Set<Integer> seen = new HashSet<>();
    int full = 0;
    List<List<Integer>> runs = Packing.pack(lengths, 128, 0);
    for (List<Integer> run : runs) {
      int length = lengths[run.get(0)];
      run.forEach(i -> assertEquals(length, lengths[i]));
      assertTrue(run.size() * length <= 128);
      full += (run.size() + 1) * length > 128 ? 1 : 0;
      run.forEach(i -> assertTrue(seen.add(i)));
    }
    assertEquals(lengths.length, seen.size());
    // no length has more than one run that could have taken another text
    assertTrue(runs.size() - full <= Arrays.stream(lengths).distinct().count());
  }
}
