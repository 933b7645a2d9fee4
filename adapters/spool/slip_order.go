package spool

import (
	"bufio"
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"rollcall/domain"
)

// runKeys is the number of bytes of keys that are sorted in memory. The keys of more records are merged from sorted runs in a spool.
const runKeys = 8 << 20

// SlipOrder implements ports.OutcomeStore. Besides the order, it takes memory for the keys of one run.
func (s *Spools) SlipOrder(outcomes iter.Seq2[domain.Outcome, error]) (_ *domain.SlipOrder, err error) {
	sorter := &slipSorter{runs: &spool{owner: s}}
	defer func() { err = errors.Join(err, sorter.runs.Close()) }()
	for outcome, err := range outcomes {
		if err != nil {
			return nil, err
		}
		if outcome.Violations != nil || outcome.Skipped {
			continue
		}
		err = sorter.add(&outcome)
		if err != nil {
			return nil, err
		}
	}
	return sorter.order()
}

// slipSorter sorts slips by their keys.
type slipSorter struct {
	keys  []byte
	slips []sortedSlip // of the keys in memory

	runs *spool
	ends []int64 // of each run
}

// sortedSlip is a record with the place of its key.
type sortedSlip struct {
	from, groupEnd, to int32
	record             int32
}

func (s *slipSorter) add(o *domain.Outcome) error {
	if len(s.keys) >= runKeys {
		err := s.writeRun()
		if err != nil {
			return err
		}
	}
	from := len(s.keys)
	key, group := domain.AppendSlipKey(s.keys, o)
	s.keys = key
	s.slips = append(s.slips, sortedSlip{int32(from), int32(from + len(group)), int32(len(key)), int32(o.Record)})
	return nil
}

// sort sorts the slips in memory.
func (s *slipSorter) sort() {
	slices.SortFunc(s.slips, func(a, b sortedSlip) int {
		return cmp.Or(bytes.Compare(s.keys[a.from:a.to], s.keys[b.from:b.to]), cmp.Compare(a.record, b.record))
	})
}

// writeRun writes the slips in memory to a run: the lengths of the key and of the group's key in it, the record, and the key.
func (s *slipSorter) writeRun() error {
	s.sort()
	w := bufio.NewWriterSize(s.runs, runBuffer)
	var head []byte
	for _, slip := range s.slips {
		head = binary.AppendUvarint(head[:0], uint64(slip.to-slip.from))
		head = binary.AppendUvarint(head, uint64(slip.groupEnd-slip.from))
		head = binary.AppendUvarint(head, uint64(slip.record))
		_, _ = w.Write(head) // Flush returns the error
		_, _ = w.Write(s.keys[slip.from:slip.to])
	}
	err := w.Flush()
	if err != nil {
		return fmt.Errorf("sort slips: %w", err)
	}
	s.ends = append(s.ends, s.runs.Size())
	s.keys, s.slips = s.keys[:0], s.slips[:0]
	return nil
}

// order returns the order of all slips.
func (s *slipSorter) order() (*domain.SlipOrder, error) {
	b := &slipOrderBuilder{order: &domain.SlipOrder{}}
	if len(s.ends) == 0 {
		s.sort()
		for _, slip := range s.slips {
			b.add(slip.record, s.keys[slip.from:slip.groupEnd])
		}
		return b.order, nil
	}
	err := s.writeRun()
	if err != nil {
		return nil, err
	}
	s.keys, s.slips = nil, nil
	err = b.merge(s.runs, s.ends)
	if err != nil {
		return nil, fmt.Errorf("merge slips: %w", err)
	}
	return b.order, nil
}

// slipOrderBuilder appends slips to an order.
type slipOrderBuilder struct {
	order *domain.SlipOrder
	group []byte // key of the last group
}

func (b *slipOrderBuilder) add(record int32, group []byte) {
	if len(b.order.Records) == 0 || !bytes.Equal(group, b.group) {
		b.order.Groups = append(b.order.Groups, int32(len(b.order.Records)))
		b.group = append(b.group[:0], group...)
	}
	b.order.Records = append(b.order.Records, record)
}

// merge adds the slips of runs.
func (b *slipOrderBuilder) merge(all *spool, ends []int64) error {
	var runs slipRuns
	from := int64(0)
	for _, end := range ends {
		run := &slipRun{r: bufio.NewReaderSize(io.NewSectionReader(all.Reader(), from, end-from), runBuffer)}
		err := run.next()
		if err != nil {
			return err
		}
		runs, from = append(runs, run), end
	}
	heap.Init(&runs)
	for len(runs) > 0 {
		first := runs[0]
		b.add(first.record, first.key[:first.group])
		err := first.next()
		switch {
		case err == nil:
			heap.Fix(&runs, 0)
		case errors.Is(err, io.EOF):
			heap.Pop(&runs)
		default:
			return err
		}
	}
	return nil
}

// runBuffer is the number of bytes of a run that are read or written together.
const runBuffer = 64 << 10

// slipRun reads a run. Its fields are those of the current slip.
type slipRun struct {
	r      *bufio.Reader
	key    []byte
	group  int // length of the group's key
	record int32
}

// next reads the next slip. It returns io.EOF at the end of the run.
func (r *slipRun) next() error {
	length, err := binary.ReadUvarint(r.r)
	if err != nil {
		return err
	}
	read := outcomeReader{r: r.r}
	r.group, r.record = int(read.number()), int32(read.number())
	if read.err != nil {
		return read.err
	}
	r.key = slices.Grow(r.key[:0], int(length))[:length]
	_, err = io.ReadFull(r.r, r.key)
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// slipRuns implements heap.Interface. The run with the first slip comes first.
type slipRuns []*slipRun

func (r *slipRuns) Len() int      { return len(*r) }
func (r *slipRuns) Swap(i, j int) { (*r)[i], (*r)[j] = (*r)[j], (*r)[i] }

func (r *slipRuns) Less(i, j int) bool {
	a, b := (*r)[i], (*r)[j]
	return cmp.Or(bytes.Compare(a.key, b.key), cmp.Compare(a.record, b.record)) < 0
}

func (r *slipRuns) Push(run any) { *r = append(*r, run.(*slipRun)) } //nolint:forcetypeassert // it is never called

func (r *slipRuns) Pop() any {
	last := (*r)[len(*r)-1]
	*r = (*r)[:len(*r)-1]
	return last
}
