package charset

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode"
)

//go:embed names.txt
var names string

// A model holds, for each language, the logarithms of the probabilities of a letter after the two before it.
type model struct {
	letters map[rune]uint16 // from 1 on; 0 is the edge of a word

	// The probabilities by language: of a letter, by that letter; after one other, and after two, by the key of these letters, for those that
	// names of some language have.
	singles []*probabilities
	pairs   map[uint32]*probabilities
	triples map[uint32]*probabilities

	known map[string][]int // languages by word of names.txt
	whole byLanguage       // of one of a language's words in names.txt
}

// languages is the number of languages in names.txt.
const languages = 36

type (
	probabilities [languages]float32
	byLanguage    [languages]float64
)

// The weights of the estimates of a letter: after two letters, after one, alone, and of any letter.
const (
	weightTriple = 0.35
	weightPair   = 0.40
	weightSingle = 0.247
	weightAny    = 0.003
)

// weightKnown is the share of a text's words that names.txt is assumed to have.
const weightKnown = 0.3

// models builds the model from the names, once, in some tens of milliseconds.
var models = sync.OnceValue(func() *model {
	words := map[string][]string{}
	var order []string
	m := &model{letters: map[rune]uint16{}}
	for line := range strings.Lines(names) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] == "#" {
			continue
		}
		if words[fields[0]] == nil {
			order = append(order, fields[0])
		}
		for _, word := range fields[1:] {
			words[fields[0]] = append(words[fields[0]], strings.FieldsFunc(strings.ToLower(word), isNoLetter)...)
		}
	}
	for _, name := range order {
		for _, word := range words[name] {
			for _, r := range word {
				if m.letters[fold(r)] == 0 {
					m.letters[fold(r)] = uint16(len(m.letters) + 1)
				}
			}
		}
	}
	if len(order) != languages {
		panic(fmt.Sprint("languages in names.txt: ", len(order)))
	}
	m.singles = make([]*probabilities, len(m.letters)+1)
	m.pairs, m.triples = map[uint32]*probabilities{}, map[uint32]*probabilities{}
	m.known = map[string][]int{}
	counts := make([]counted, languages)
	for i, name := range order {
		counts[i] = m.count(words[name])
		m.whole[i] = math.Log(weightKnown / float64(len(words[name])))
		for _, word := range words[name] {
			if !slices.Contains(m.known[word], i) {
				m.known[word] = append(m.known[word], i)
			}
		}
	}
	m.learn(counts)
	return m
})

func isNoLetter(r rune) bool { return !unicode.IsLetter(r) }

func triple(a, b, c uint16) uint32 { return uint32(a)<<20 | uint32(b)<<10 | uint32(c) }

// counted has how often a language's words have letters, pairs and triples of them, and pairs of them before a letter.
type counted struct {
	singles                  []float64
	follows                  []float64 // letters after a letter
	pairs, triples, contexts map[uint32]float64
	total                    float64
}

func (m *model) count(words []string) counted {
	n := len(m.singles)
	c := counted{make([]float64, n), make([]float64, n), map[uint32]float64{}, map[uint32]float64{}, map[uint32]float64{}, 0}
	for _, word := range words {
		var before, last uint16
		for _, r := range word + " " {
			letter := m.letters[fold(r)]
			c.singles[letter]++
			c.follows[last]++
			c.pairs[triple(0, last, letter)]++
			c.triples[triple(before, last, letter)]++
			c.contexts[triple(0, before, last)]++
			c.total++
			before, last = last, letter
		}
	}
	return c
}

// learn sets the probabilities.
func (m *model) learn(counts []counted) {
	const letterMask, letterBits = 1<<10 - 1, 10
	single := func(c *counted, key uint32) float64 {
		return weightSingle*c.singles[key&letterMask]/c.total + weightAny/float64(len(m.singles))
	}
	pair := func(c *counted, key uint32) float64 {
		p := single(c, key)
		if count := c.pairs[key&(1<<(2*letterBits)-1)]; count > 0 {
			p += weightPair * count / c.follows[key>>letterBits&letterMask]
		}
		return p
	}
	all := func(key uint32, of func(*counted, uint32) float64) *probabilities {
		each := new(probabilities)
		for i := range counts {
			each[i] = float32(math.Log(of(&counts[i], key)))
		}
		return each
	}
	for letter := range m.singles {
		m.singles[letter] = all(uint32(letter), single)
	}
	for i := range counts {
		for key := range counts[i].pairs {
			if m.pairs[key] == nil {
				m.pairs[key] = all(key, pair)
			}
		}
		for key := range counts[i].triples {
			if m.triples[key] != nil {
				continue
			}
			m.triples[key] = all(key, func(c *counted, key uint32) float64 {
				p := pair(c, key)
				if count := c.triples[key]; count > 0 {
					p += weightTriple * count / c.contexts[key>>letterBits]
				}
				return p
			})
		}
	}
}

// fold returns a letter in lower case, and the sigma at the end of a word as any other.
func fold(r rune) rune {
	if r == 'ς' {
		return 'σ'
	}
	return unicode.ToLower(r)
}
