package charset

import (
	_ "embed"
	"math"
	"strings"
	"sync"
	"unicode"
)

//go:embed names.txt
var names string

// A model holds, for each language, the logarithms of the probabilities of a letter after the two before it.
type model struct {
	letters   map[rune]uint16 // from 1 on; 0 is the edge of a word
	languages []language
}

type language struct {
	pairs   []float32          // by letter and the letter before it
	triples map[uint32]float32 // those that the names have
}

// The weights of the estimates of a letter: after two letters, after one, alone, and of any letter.
const (
	weightTriple = 0.35
	weightPair   = 0.40
	weightSingle = 0.22
	weightAny    = 0.03
)

// models builds the model from the names, in a few milliseconds.
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
				if m.letters[r] == 0 {
					m.letters[r] = uint16(len(m.letters) + 1)
				}
			}
		}
	}
	for _, name := range order {
		m.languages = append(m.languages, m.learn(words[name]))
	}
	return m
})

func isNoLetter(r rune) bool { return !unicode.IsLetter(r) }

func (m *model) size() int { return len(m.letters) + 1 }

func triple(a, b, c uint16) uint32 { return uint32(a)<<20 | uint32(b)<<10 | uint32(c) }

// learn returns the probabilities of a language's words.
func (m *model) learn(words []string) language {
	n := m.size()
	singles, pairs := make([]float64, n), make([]float64, n*n)
	triples, contexts := map[uint32]float64{}, map[uint32]float64{}
	total := 0.0
	for _, word := range words {
		var before, last uint16
		for _, r := range word + " " {
			letter := m.letters[r]
			singles[letter]++
			pairs[int(last)*n+int(letter)]++
			triples[triple(before, last, letter)]++
			contexts[triple(0, before, last)]++
			total++
			before, last = last, letter
		}
	}
	follows := make([]float64, n) // how often a letter has one after it
	for a := range n {
		for b := range n {
			follows[a] += pairs[a*n+b]
		}
	}
	lower := func(a, b int) float64 {
		p := weightSingle*singles[b]/total + weightAny/float64(n)
		if follows[a] > 0 {
			p += weightPair * pairs[a*n+b] / follows[a]
		}
		return p
	}
	l := language{pairs: make([]float32, n*n), triples: make(map[uint32]float32, len(triples))}
	for a := range n {
		for b := range n {
			l.pairs[a*n+b] = float32(math.Log(lower(a, b)))
		}
	}
	for key, count := range triples {
		const letterMask = 1<<10 - 1
		p := weightTriple*count/contexts[key>>10] + lower(int(key>>10&letterMask), int(key&letterMask))
		l.triples[key] = float32(math.Log(p))
	}
	return l
}
