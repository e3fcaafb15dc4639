"""The texts an export is judged by: short and long, many scripts, the awkward ones."""

from __future__ import annotations

from collections.abc import Callable

QUESTIONS = (
    "how do vaccines work",
    "What is the boiling point of water at high altitude?",
    "symptoms of vitamin D deficiency",
    "who wrote the first compiler",
    "best way to store lithium batteries",
    "Why do leaves change colour in autumn?",
    "does coffee raise blood pressure",
    "treatment for a sprained ankle",
    "how deep is the Mariana Trench",
    "difference between weather and climate",
    "when was the printing press invented",
    "¿Cuál es la capital de Australia?",
    "Wie funktioniert ein Elektromotor?",
    "quelle est la vitesse de la lumière",
    "光合作用是怎样进行的",
    "東京タワーの高さは何メートルですか",
    "Почему небо голубое?",
    "ما هي أسباب تغير المناخ",
    "दिल की धड़कन कैसे नापते हैं",
    "0-dimensional biomaterials show inductive properties",
)

PASSAGES = (
    "A vaccine shows the immune system a harmless part of a germ, so that memory cells are ready.",
    "Water boils at a lower temperature in the mountains because the air pressure is lower there.",
    "Too little vitamin D weakens bones; tiredness, bone pain and frequent infections are signs.",
    "Grace Hopper finished the A-0 system in 1952; it is often called the first compiler.",
    "Keep lithium cells cool, dry and about half charged when they are not used for a long time.",
    "As days shorten, chlorophyll breaks down and the yellow carotenoids become visible.",
    "Caffeine raises blood pressure for an hour or two; regular drinkers show less of an effect.",
    "Rest, ice, compression and elevation are the usual first aid for a sprain.",
    "The Challenger Deep lies about 10,935 metres below the surface of the Pacific.",
    "Weather is what happens today; climate is the average over thirty years or more.",
    "Gutenberg printed with movable metal type in Mainz in the middle of the fifteenth century.",
    "Canberra es la capital de Australia desde 1913, aunque Sídney es la ciudad más grande.",
    "Im Elektromotor erzeugt Strom in einer Spule ein Magnetfeld, das den Läufer dreht.",
    "La lumière parcourt 299 792 458 mètres par seconde dans le vide.",
    "植物利用阳光把二氧化碳和水变成葡萄糖，并放出氧气。",
    "東京タワーは高さ333メートルの電波塔です。",
    "Молекулы воздуха рассеивают синий свет сильнее красного, поэтому небо голубое.",
    "يؤدي حرق الوقود الأحفوري إلى زيادة غازات الدفيئة في الغلاف الجوي.",
    "कलाई पर दो उंगलियाँ रखकर एक मिनट में धड़कनें गिनी जाती हैं।",
    "Hydrogels and nanoparticles can carry growth factors to a wound and release them slowly.",
    "Aspirin inhibits the production of PGE2 in human colon tissue at low daily doses.",
    "The mitochondrion makes most of the cell's ATP by oxidative phosphorylation.",
    "CRISPR-Cas9 cuts DNA at a site given by a guide RNA of about twenty bases.",
    "Bees tell each other the direction of flowers by the angle of their waggle dance.",
    "Concrete gains strength for weeks while cement and water react.",
    "A violin's sound comes from the strings, but its loudness comes from the wooden body.",
    "Sourdough rises because wild yeast and lactic bacteria make carbon dioxide.",
    "An index speeds up reading a table and slows down writing to it.",
    "In 1969 two astronauts walked on the Moon for two hours and thirty-one minutes.",
    "Glaciers grind rock to flour so fine that it colours lakes turquoise.",
    "Interest on interest makes a debt of 7% a year double in about ten years.",
    "Chess engines look at millions of positions a second and forget nearly all of them.",
    "Salt lowers the freezing point of water, which is why roads are salted in winter.",
    "The heart of a blue whale weighs as much as a small car.",
    "Wool keeps warm even when it is wet because its fibres hold air.",
    "El corazón bombea unos cinco litros de sangre por minuto en reposo.",
    "Die Alpen heben sich noch immer um etwa einen Millimeter im Jahr.",
    "Le pain rassit plus vite au réfrigérateur qu'à température ambiante.",
    "Il caffè contiene circa cento milligrammi di caffeina per tazza.",
    "Kawa zawiera kofeinę, która pobudza układ nerwowy.",
    "Çay, dünyada sudan sonra en çok içilen içecektir.",
    "人的心脏每天跳动大约十万次。",
    "地震の大きさはマグニチュードで表される。",
    "서울은 한강을 따라 자리 잡은 도시이다.",
    "ประเทศไทยมีสามฤดู",
    "Ο Παρθενώνας χτίστηκε τον πέμπτο αιώνα π.Χ.",
    "השמש היא כוכב בגודל בינוני.",
)

AWKWARD = (
    "",
    " ",
    "\n\t",
    "a",
    "?!",
    "🙂🚀 café naïve — “quotes” … ½ №5",
    "e\u0301 versus \u00e9, ﬁ versus fi, Ａ versus A",
    "nul \x00 bell \x07 zero\u200bwidth \u202eright to left",
    "[CLS] [SEP] [MASK] <s> </s> <pad>",
    "supercalifragilisticexpialidocious" * 4,
    "x" * 300,
    "p < 0.05, n = 1,234; 3.14e-10 µg/mL; β-catenin; H₂O; C++ & C#; foo_bar(baz)[0]",
    "SHOUTING and shouting And ShOuTiNg",
    "https://www.example.org/a/b?c=d&e=f#g user@example.org 2026-11-23T08:00:00Z",
)

SCRIPTS = (
    "ماء ջուր জল ㄕㄨㄟˇ вода पानी ውሃ წყალი νερό પાણી",
    "ਪਾਣੀ 水 물 מים みず ನೀರು ミズ ទឹក ນ້ຳ water",
    "വെള്ളം ရေ ପାଣି ජලය தண்ணீர் నీరు ފެން น้ำ ཆུ ᠤᠰᠤ ᎠᎹ ᐃᒥᖅ 𐍅𐌰𐍄𐍉",
)
"""Water in every script that Unicode Standard Annex 31 recommends, and a few that are rarer."""

GOLDEN = (
    QUESTIONS[0],
    QUESTIONS[14],
    PASSAGES[0],
    PASSAGES[12],
    *AWKWARD[:1],
    *AWKWARD[5:9],
    *SCRIPTS,
)
"""A few that a wrong tokenizer, pooling or prompt cannot all survive; run at every load."""

_ROUND = " ".join(PASSAGES)


def beyond(max_tokens: int) -> str:
    """A text of more than ``max_tokens`` tokens in any tokenizer."""
    return " ".join([_ROUND] * (1 + max_tokens // len(_ROUND.split())))


def long_text(max_tokens: int, most: int, count: Callable[[str], int]) -> str:
    """A text that is cut at ``max_tokens``; if those are more than ``most``, one that has fewer.

    ``count`` gives a text's number of tokens.
    """
    if max_tokens <= most:
        return beyond(max_tokens)
    words = _ROUND.split()
    rounds = most // count(_ROUND)
    if rounds:
        return " ".join([_ROUND] * rounds)
    while count(" ".join(words)) > most:
        words = words[: len(words) * 9 // 10]
    return " ".join(words)
