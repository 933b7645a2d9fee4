package xlsx

import (
	"encoding/binary"
	"fmt"
	"sort"

	"rollcall/ports"
)

const (
	pageSize = 64 << 10

	// pagesRead is how many pages stay in memory after they were read: most sheets refer to most texts in their order.
	pagesRead = 128

	// slotSize is the size of a slot: the end of a text in its page.
	slotSize = 2
)

// sharedTexts are the texts of a workbook that its cells refer to by number: in a sheet of a million rows, millions. They are
// stored in pages as a database stores rows, texts from the beginning and their slots from the end.
type sharedTexts struct {
	spool  ports.Spool
	firsts []int // number of the first text of each page
	count  int
	last   []byte // the page that is being filled
	used   int    // bytes of texts in that page
	read   [pagesRead]readPage
}

type readPage struct {
	number int
	data   []byte
}

// add appends a text of at most maxBookText bytes.
func (s *sharedTexts) add(text []byte) error {
	if s.last == nil || s.used+len(text)+s.slot(s.count+1) > pageSize {
		err := s.newPage()
		if err != nil {
			return err
		}
	}
	s.used += copy(s.last[s.used:], text)
	s.count++
	binary.LittleEndian.PutUint16(s.last[pageSize-s.slot(s.count):], uint16(s.used))
	return nil
}

// slot returns how many bytes the slots of the last page take when there are count texts.
func (s *sharedTexts) slot(count int) int { return (count - s.firsts[len(s.firsts)-1]) * slotSize }

func (s *sharedTexts) newPage() error {
	if s.last == nil {
		s.last = make([]byte, pageSize)
	} else if _, err := s.spool.Write(s.last); err != nil {
		return fmt.Errorf("spool texts: %w", err)
	}
	s.firsts, s.used = append(s.firsts, s.count), 0
	return nil
}

// text returns the text with a number, valid until the next call, and whether there is one.
func (s *sharedTexts) text(number int) ([]byte, bool, error) {
	if number < 0 || number >= s.count {
		return nil, false, nil
	}
	page := sort.Search(len(s.firsts), func(i int) bool { return s.firsts[i] > number }) - 1
	data, err := s.page(page)
	if err != nil {
		return nil, false, err
	}
	from, slots := uint16(0), data[pageSize-(number-s.firsts[page]+1)*slotSize:]
	if number > s.firsts[page] {
		from = binary.LittleEndian.Uint16(slots[slotSize:])
	}
	return data[from:binary.LittleEndian.Uint16(slots)], true, nil
}

func (s *sharedTexts) page(number int) ([]byte, error) {
	if number == len(s.firsts)-1 {
		return s.last, nil
	}
	page := &s.read[number%pagesRead]
	if page.data == nil || page.number != number {
		if page.data == nil {
			page.data = make([]byte, pageSize)
		}
		_, err := s.spool.Reader().ReadAt(page.data, int64(number)*pageSize)
		if err != nil {
			return nil, fmt.Errorf("read texts: %w", err)
		}
		page.number = number
	}
	return page.data, nil
}
