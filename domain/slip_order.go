package domain

import (
	"iter"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A SlipOrder is the order in which the slips of registered records are handed out: by group, then by name, then by record. People without
// a group come last.
type SlipOrder struct {
	Records []int32 // numbers of the records
	Groups  []int32 // indices in Records at which the groups begin
}

// A SlipRange is a range of slips, from one index of their order up to another.
type SlipRange struct{ From, To int }

// Ranges divides the slips into ranges of at most a number of slips. A group that fits into a range is not divided.
func (o *SlipOrder) Ranges(most int) (ranges []SlipRange) {
	current := SlipRange{}
	endAt := func(index int) {
		ranges = append(ranges, SlipRange{current.From, index})
		current.From = index
	}
	for group := range o.Groups {
		of := o.Group(group)
		if of.To-current.From > most && of.From > current.From {
			endAt(of.From)
		}
		for of.To-current.From > most {
			endAt(current.From + most)
		}
	}
	if len(o.Records) > current.From {
		endAt(len(o.Records))
	}
	return ranges
}

// GroupsOf yields the numbers of the groups that have slips in a range.
func (o *SlipOrder) GroupsOf(of SlipRange) iter.Seq[int] {
	return func(yield func(int) bool) {
		number, begins := slices.BinarySearch(o.Groups, int32(of.From))
		if !begins {
			number--
		}
		for ; number < len(o.Groups) && int(o.Groups[number]) < of.To; number++ {
			if !yield(number) {
				return
			}
		}
	}
}

// Intersect returns the slips that two ranges share.
func (r SlipRange) Intersect(other SlipRange) SlipRange {
	return SlipRange{max(r.From, other.From), min(r.To, other.To)}
}

// Group returns the range of a group.
func (o *SlipOrder) Group(number int) SlipRange {
	to := len(o.Records)
	if number+1 < len(o.Groups) {
		to = int(o.Groups[number+1])
	}
	return SlipRange{int(o.Groups[number]), to}
}

const (
	slipKeyEnd = 0 // ends the key of a group and of each part of a name, which have no such byte

	// noGroup sorts after every text in UTF-8.
	noGroup = 0xff
)

// AppendSlipKey appends the key by which the slip of a registered record is sorted, and returns the key of the group as well, with which
// it begins. Keys ignore case, and the difference between е and ё. They sort numbers by value: 2А comes before 10А.
func AppendSlipKey(dst []byte, o *Outcome) (key, group []byte) {
	begin := len(dst)
	if o.Group == (Group{}) {
		dst = append(dst, noGroup)
	} else {
		dst = appendFolded(dst, o.Group.text)
	}
	dst = append(dst, slipKeyEnd)
	end := len(dst)
	for _, part := range []string{o.Name.Last.String(), o.Name.First.String(), o.Name.Patronymic.String()} {
		dst = append(appendFolded(dst, part), slipKeyEnd)
	}
	return dst, dst[begin:end]
}

func appendFolded(dst []byte, text string) []byte {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if !isDigit(r) {
			dst = utf8.AppendRune(dst, foldForOrder(r))
			i += size
			continue
		}
		end := i + len(text[i:]) - len(strings.TrimLeftFunc(text[i:], isDigit))
		dst = appendNumber(dst, text[i:end])
		i = end
	}
	return dst
}

// isDigit is unicode.IsDigit with a shortcut for the letters of Europe.
func isDigit(r rune) bool {
	const firstOfTable = '\u0660'
	if r < firstOfTable {
		return '0' <= r && r <= '9'
	}
	return unicode.IsDigit(r)
}

// appendNumber appends the key of a number: how many digits it has, the digits, and how many zeros it begins with. They are counted from 1,
// because a key ends with a zero byte.
func appendNumber(dst []byte, digits string) []byte {
	count := func(n int) byte { return byte(min(n+1, math.MaxUint8)) }
	value := strings.TrimLeft(digits, "0")
	dst = append(dst, '0', count(utf8.RuneCountInString(value)))
	dst = append(dst, value...)
	return append(dst, count(len(digits)-len(value)))
}

// foldForOrder returns the lower case of a letter, and е for ё.
func foldForOrder(r rune) rune {
	switch {
	case r == 'ё', r == 'Ё':
		return 'е'
	case 'А' <= r && r <= 'Я':
		return r + ('а' - 'А')
	case 'а' <= r && r <= 'я':
		return r
	}
	return unicode.ToLower(r)
}
