package charset

import (
	"cmp"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"rollcall/adapters/bulkfile/scan"
)

const (
	// maxWords bounds the words with other bytes than ASCII that are kept, and maxPlain those in ASCII. More words would change
	// nothing: some hundred leave no doubt, unless the text is in no known encoding.
	maxWords = 1 << 9
	maxPlain = 1 << 8

	// maxWord bounds the length of a word in bytes, and minPlain is the least length of a word in ASCII that shows a language.
	maxWord  = 48
	minPlain = 4

	// enough is how many words with a byte are kept beyond maxWords: letters may come late in a text.
	enough = 8
)

// A Text collects words of a text in constant memory.
type Text struct {
	words  map[string]struct{} // with other bytes than ASCII
	plain  map[string]struct{} // in ASCII; they show the languages of the text
	seen   [256]int            // how many words with a byte are kept
	word   []byte              // that the last Write has cut
	inHigh bool                // word has other bytes than ASCII

	letters, broken int    // as UTF8 returns them
	rest            []byte // that may begin a character
}

// Write implements io.Writer. Its error is nil.
func (t *Text) Write(p []byte) (int, error) {
	t.countUTF8(p)
	for _, c := range p {
		switch {
		case c >= utf8.RuneSelf:
			t.inHigh = true
			fallthrough
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '\'':
			if len(t.word) < maxWord {
				t.word = append(t.word, c)
			}
		case len(t.word) > 0:
			t.end()
		}
	}
	return len(p), nil
}

// countUTF8 counts the letters in UTF-8, and the bytes that cannot be UTF-8.
func (t *Text) countUTF8(p []byte) {
	t.rest = append(t.rest, p...)
	rest := t.rest
	for len(rest) > 0 {
		if rest[0] < utf8.RuneSelf {
			rest = rest[1:]
			continue
		}
		const longest = 6 // a surrogate pair in CESU-8
		if len(rest) < longest && len(p) > 0 {
			break // the next part may complete the character
		}
		r, size := utf8.DecodeRune(rest)
		if r == utf8.RuneError && size == 1 {
			r = scan.SurrogatePair(rest)
			if r == utf8.RuneError {
				t.broken++
			} else {
				size = longest
			}
		}
		if unicode.IsLetter(r) || isMark(r) {
			t.letters++
		}
		rest = rest[size:]
	}
	t.rest = append(t.rest[:0], rest...)
}

// UTF8 returns how many letters beyond ASCII the text has in UTF-8, and how many of its bytes cannot be UTF-8.
func (t *Text) UTF8() (letters, broken int) {
	t.countUTF8(nil)
	return t.letters, t.broken
}

// IsASCII reports whether the text has ASCII only.
func (t *Text) IsASCII() bool {
	t.end()
	return len(t.words) == 0
}

// Examples returns up to n words of the text that the encodings read most differently.
func (t *Text) Examples(guesses []Guess, n int) []string {
	words := slices.Sorted(maps.Keys(t.words))
	readings := map[string]int{}
	for _, word := range words {
		different := map[string]struct{}{}
		for _, guess := range guesses {
			different[guess.Read(word)] = struct{}{}
		}
		readings[word] = len(different)
	}
	slices.SortStableFunc(words, func(a, b string) int {
		return cmp.Or(cmp.Compare(readings[b], readings[a]), cmp.Compare(len(b), len(a)))
	})
	return words[:min(n, len(words))]
}

// Read returns a word in the encoding.
func (c *Charset) Read(word string) string {
	if c.Bytewise == nil {
		return strings.ToValidUTF8(word, string(utf8.RuneError))
	}
	var read strings.Builder
	for i := range len(word) {
		read.WriteRune(c.DecodeByte(word[i]))
	}
	return read.String()
}

// end ends a word.
func (t *Text) end() {
	defer func() { t.word, t.inHigh = t.word[:0], false }()
	if t.words == nil {
		t.words, t.plain = map[string]struct{}{}, map[string]struct{}{}
	}
	if !t.inHigh {
		isName := len(t.word) >= minPlain && t.word[0] < 'a'
		if _, known := t.plain[string(t.word)]; isName && !known && len(t.plain) < maxPlain {
			t.plain[string(t.word)] = struct{}{}
		}
		return
	}
	if _, known := t.words[string(t.word)]; known {
		return
	}
	isRare := func(c byte) bool { return c >= utf8.RuneSelf && t.seen[c] < enough }
	if len(t.words) >= maxWords && !slices.ContainsFunc(t.word, isRare) {
		return
	}
	t.words[string(t.word)] = struct{}{}
	for _, c := range t.word {
		t.seen[c]++
	}
}

// A Guess is an encoding that a text may have.
type Guess struct {
	Charset

	score   float64 // logarithm of the text's probability
	fit     float64 // that of the words beyond ASCII, each in its likeliest language
	letters int     // of these words
	strange int     // of these words

	most  float64    // score if each word is in its likeliest language
	words []*reading // in ASCII, too
}

// The bounds of a decision.
const (
	// margin is by how much the likeliest reading of a text must surpass the others.
	margin = 7

	// doubt is by how much the other readings may be less likely, to be offered.
	doubt = 25

	// leastFit is the least mean score of a letter in a text that is in a known encoding.
	leastFit = -4.6

	// mostStrange is the greatest share of strange words in a text that is in a known encoding.
	mostStrange = 0.1

	maxGuesses = 5
)

// Guesses returns the encodings that the text may have, the likeliest first. Of encodings that read the text alike only one is
// returned. It is decided if there is only one.
func (t *Text) Guesses() []Guess {
	t.end()
	m := models()
	words := slices.Sorted(maps.Keys(t.words))
	plain := make([]*reading, 0, len(t.plain))
	most := 0.0
	for _, word := range slices.Sorted(maps.Keys(t.plain)) {
		read := m.word(word)
		plain = append(plain, read)
		most += read.likeliest
	}
	var guesses []Guess
	readings := map[string]*reading{} // many encodings read a word alike
	for _, c := range charsets {
		if slices.ContainsFunc(guesses, func(other Guess) bool { return t.readAlike(c, other.Charset) }) {
			continue
		}
		g := Guess{Charset: c, score: -c.rarity, most: most - c.rarity, words: slices.Clone(plain)}
		for _, word := range words {
			chars := c.Read(word)
			read := readings[chars]
			if read == nil {
				read = m.word(chars)
				readings[chars] = read
			}
			g.words = append(g.words, read)
			g.score += read.signs
			g.most += read.signs + read.likeliest
			g.fit += read.signs + read.likeliest
			g.letters += len(word)
			if read.isStrange {
				g.strange++
			}
		}
		guesses = append(guesses, g)
	}
	return likeliest(scored(guesses, easing(len(words))), words)
}

// scored returns the guesses with their scores. It leaves out those that cannot be among the maxGuesses likeliest ones.
func scored(guesses []Guess, ease float64) []Guess {
	slices.SortStableFunc(guesses, func(a, b Guess) int { return cmp.Compare(b.most, a.most) })
	scores := make([]float64, 0, len(guesses)) // in ascending order
	for i := range guesses {
		g := &guesses[i]
		if i >= maxGuesses && g.most+rare*ease < scores[i-maxGuesses] {
			return guesses[:i]
		}
		g.score += mixture(g.words)
		place, _ := slices.BinarySearch(scores, g.score)
		scores = slices.Insert(scores, place, g.score)
	}
	return guesses
}

// likeliest returns those of the guesses, in the order of their scores, that may be right.
func likeliest(guesses []Guess, words []string) []Guess {
	slices.SortStableFunc(guesses, func(a, b Guess) int { return cmp.Compare(b.score, a.score) })
	best, others := guesses[0], guesses[1:]
	ease := easing(len(words))
	eased := func(g Guess) float64 { return g.score + g.rarity*ease }
	slices.SortStableFunc(others, func(a, b Guess) int { return cmp.Compare(eased(b), eased(a)) })
	offered := math.Inf(-1)
	isKnown := best.fit >= leastFit*float64(best.letters) && float64(best.strange) <= mostStrange*float64(len(words))
	if isKnown && !mayBeDoubleBytes(words) {
		if len(others) == 0 || eased(others[0]) <= best.score-margin {
			return guesses[:1]
		}
		offered = best.score - doubt
	}
	n := 1
	for n < min(len(guesses), maxGuesses) && eased(guesses[n]) > offered {
		n++
	}
	return guesses[:n]
}

// mayBeDoubleBytes reports whether a text has one word, which may be a name in an encoding of China, Japan or Korea: two characters of two bytes.
func mayBeDoubleBytes(words []string) bool {
	const size = 4
	return len(words) == 1 && len(words[0]) <= size && !strings.ContainsFunc(words[0], func(r rune) bool { return r < utf8.RuneSelf })
}

// easing returns the share of its rarity that an encoding gets back in a short text: a few words alone do not rule a rare one out.
func easing(words int) float64 {
	const few, many, most = 8, 24, 0.6
	return most * min(max(float64(many-words)/(many-few), 0), 1)
}

// readAlike reports whether two encodings read the bytes of the text as the same characters.
func (t *Text) readAlike(a, b Charset) bool {
	for c := utf8.RuneSelf; c < len(t.seen); c++ {
		if t.seen[c] > 0 && a.DecodeByte(byte(c)) != b.DecodeByte(byte(c)) {
			return false
		}
	}
	return true
}

// The costs of what names do not have, as logarithms of probabilities.
const (
	costInWord    = -8  // such a sign between two letters
	costElision   = -1  // an apostrophe in its place
	costMark      = -8  // a quote, a dash, or another sign that lists have
	costSymbol    = -14 // another character that is no letter
	costUndefined = -16 // a byte that stands for nothing, or for a control character
	costLetter    = -10 // a letter that no language of the model has
	costCase      = -8  // a capital after a small letter, or the reverse in a word of capitals
	costScripts   = -10 // a word in several scripts
	costSmall     = -2  // a word without a capital
	costCapitals  = -1  // a word in capitals
)

// mixture returns the logarithm of the probability of words that may be of several languages. It estimates the share of each language.
func mixture(words []*reading) float64 {
	const (
		rounds = 4
		pseudo = 0.05 // words that each language has in any case
	)
	var shares byLanguage
	for l := range shares {
		shares[l] = 1.0 / languages
	}
	total := 0.0
	for range rounds {
		total = 0
		var next byLanguage
		for _, word := range words {
			whole, parts := 0.0, word.each
			for l := range parts {
				parts[l] *= shares[l]
				whole += parts[l]
			}
			for l := range parts {
				next[l] += parts[l] / whole
			}
			total += word.likeliest + math.Log(whole)
		}
		for l := range shares {
			shares[l] = (next[l] + pseudo) / (float64(len(words)) + pseudo*languages)
		}
	}
	return total
}

// A reading is a word in an encoding.
type reading struct {
	signs     float64    // logarithm of the probability of its case, and of characters that are no letters
	likeliest float64    // that of its letters in their likeliest language
	each      byLanguage // probability of its letters, divided by that in their likeliest language
	isStrange bool       // it has a letter that no language has, a symbol, or a sign between letters
}

// word returns the reading of a word in UTF-8.
func (m *model) word(word string) *reading {
	chars := []rune(word)
	signs, isStrange := m.signs(chars)
	each := m.order(chars)
	for _, language := range m.known[strings.ToLower(word)] {
		each[language] = max(each[language], m.whole[language])
	}
	likeliest := slices.Max(each[:])
	for language, p := range each {
		each[language] = math.Exp(p - likeliest)
	}
	return &reading{signs: signs, likeliest: likeliest, each: each, isStrange: isStrange}
}

// order returns the logarithms of the probabilities of a word's letters and their order.
func (m *model) order(chars []rune) (each byLanguage) {
	var before, last uint16
	for i := 0; i <= len(chars); i++ {
		letter := uint16(0) // the edge of a word
		if i < len(chars) {
			letter = m.letters[fold(chars[i])]
		}
		if letter == 0 && last == 0 {
			continue
		}
		all := m.triples[triple(before, last, letter)]
		if all == nil {
			all = m.pairs[triple(0, last, letter)]
		}
		if all == nil {
			all = m.singles[letter]
		}
		for l, p := range *all {
			each[l] += float64(p)
		}
		before, last = last, letter
		if letter == 0 {
			before = 0
		}
	}
	return each
}

// elision matches words that have a typographic apostrophe, such as D’Amico, O’Neill and Лук’яненко.
var elision = regexp.MustCompile(`(?i)^(?:(?:d|l|dall|dell|sant)’[aeéèiouh]|o’\pL)|\p{Cyrillic}’[яюєї]`)

// signs returns the logarithm of the probability of a word's case, and of its characters that are no letters, and whether one is strange.
func (m *model) signs(chars []rune) (cost float64, isStrange bool) {
	var capitals, small, latin, cyrillic, greek, hebrew int
	for i, char := range chars {
		follows := i > 0 && unicode.IsLetter(chars[i-1])
		if !unicode.IsLetter(char) {
			isInWord := follows && i+1 < len(chars) && unicode.IsLetter(chars[i+1])
			switch {
			case char == '’' && elision.MatchString(string(chars)):
				cost += costElision
				continue
			case isInWord && char > unicode.MaxASCII && char != '’':
				cost += costInWord
				isStrange = isStrange || costOf(char) > costUndefined // a byte that is undefined was damaged
			}
			cost += costOf(char)
			isStrange = isStrange || costOf(char) == costSymbol
			continue
		}
		switch {
		case unicode.IsUpper(char):
			capitals++
			if follows && unicode.IsLower(chars[i-1]) {
				cost += costCase
			}
		default:
			small++
			if follows && capitals > 1 && unicode.IsUpper(chars[i-1]) {
				cost += costCase
			}
		}
		switch {
		case unicode.Is(unicode.Cyrillic, char):
			cyrillic++
		case unicode.Is(unicode.Greek, char):
			greek++
		case unicode.Is(unicode.Hebrew, char):
			hebrew++
		default:
			latin++
		}
		if m.letters[fold(char)] == 0 {
			cost += costLetter
			isStrange = true
		}
	}
	switch {
	case capitals == 0 && small > 0:
		cost += costSmall
	case small == 0 && capitals > 1:
		cost += costCapitals
	}
	if max(latin, cyrillic, greek, hebrew) < latin+cyrillic+greek+hebrew {
		cost += costScripts
	}
	return cost, isStrange
}

// costOf returns the cost of a character that is no letter.
func costOf(char rune) float64 {
	switch {
	case char < unicode.MaxASCII:
		return 0
	case char == unicode.ReplacementChar || unicode.IsControl(char):
		return costUndefined
	case isMark(char):
		return costMark
	}
	return costSymbol
}

// isMark reports whether lists of people have a sign.
func isMark(r rune) bool {
	switch r {
	case '\u00a0', '«', '»', '„', '“', '”', '‘', '’', '–', '—', '№', '…', '°', '·', '€', '§', '©', '®', '´':
		return true
	}
	return false
}
