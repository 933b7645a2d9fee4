package pages

import (
	"bufio"
	"errors"
	"fmt"
	"html/template"
	"io"
	"iter"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

// slipsPerPart is the number of slips on a page. Browsers take seconds to lay out and print thousands.
const slipsPerPart = 500

// PrintSlips answers GET /useradd/uploads/:id/slips. More slips than a page has come in parts. The query parameter part numbers them from
// 1; without it, the page lists them.
func (u *Uploads) PrintSlips(c *fiber.Ctx, user *domain.User) error {
	return u.withResult(c, user, "slips", func(upload *ports.Upload, result *ports.ImportResult) error {
		words := u.Locale.Words(c)
		imported := u.Locale.Now().Add(-upload.Silent - upload.Worked) // or a little later
		view := slipsView{
			T: words, Title: words.Text("upload.slips"), Back: urls.Uploads + upload.ID, BackName: words.Text("upload.slips.back"), Address: c.BaseURL() + urls.Login,
			Note:   words.TextWithTime("upload.slips."+string(u.PasswordPolicy), imported.Add(u.PasswordLifetime)),
			parts:  slipParts{words, urls.Uploads + upload.ID + "/slips", upload.Done.Registered},
			assets: u.Assets,
		}
		part, err := strconv.Atoi(c.Query("part", "1"))
		switch link := view.parts.link(part); {
		case err != nil, link == nil && part != 1:
			return errors.Join(fiber.ErrNotFound, result.Close())
		case view.parts.link(2) == nil:
		case c.Query("part") == "":
			view.IsIndex = true
		default:
			result.Outcomes = result.After((part - 1) * slipsPerPart)
			view.Title, view.Index = link.Name, view.parts.url
			view.Previous, view.Next = view.parts.link(part-1), view.parts.link(part+1)
		}
		c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
		c.Set(fiber.HeaderContentDisposition, "inline")
		return api.SendOutcomes(c, result, slips{u.Slips, view})
	})
}

// slipParts are the pages on which the slips of an upload are printed.
type slipParts struct {
	words *locale.Words
	url   string // without the number of a part
	slips int    // number of all slips
}

// link returns the link to a part, nil if there is no part of that number.
func (p *slipParts) link(number int) *linkView {
	first, last := (number-1)*slipsPerPart+1, min(number*slipsPerPart, p.slips)
	if number < 1 || first > last {
		return nil
	}
	name := p.words.Text("upload.slips.part", "First", p.words.Number(first), "Last", p.words.Number(last), "Number", p.words.Number(p.slips))
	return &linkView{name, fmt.Sprintf("%s?part=%d", p.url, number)}
}

// slips implements ports.OutcomeWriter. It writes a page to print and cut, with a slip for each account, or a list of such pages.
type slips struct {
	page *template.Template
	view slipsView
}

type slipsView struct {
	T             *locale.Words
	Title         string
	Back, Address string        // of the page before, and of the page to sign in
	BackName      string        // of the link to the page before
	Note          locale.Moment // how long the passwords work, and how often
	Slips         iter.Seq[domain.Outcome]

	// Of slips in parts.
	IsIndex        bool // lists the parts
	Parts          iter.Seq[slipsPart]
	Index          string    // address; empty for a page with all slips
	Previous, Next *linkView // nil for none

	parts  slipParts
	assets Assets
}

// slipsPart is a part in the list, with the people of its first and its last slip.
type slipsPart struct {
	Link        *linkView
	First, Last domain.FullName
}

// Asset returns the address of a static file.
func (v *slipsView) Asset(name string) (string, error) { return v.assets.url(name) }

// Write implements ports.OutcomeWriter.
func (s slips) Write(w io.Writer, outcomes iter.Seq2[domain.Outcome, error]) error {
	var broken error
	all := func(yield func(domain.Outcome) bool) {
		for outcome, err := range outcomes {
			if err != nil {
				broken = err
				return
			}
			if outcome.Password != "" && !yield(outcome) {
				return
			}
		}
	}
	s.view.Slips, s.view.Parts = all, s.view.parts.list(all)
	if s.view.Index != "" {
		s.view.Slips = onePart(all)
	}
	chunks := bufio.NewWriterSize(w, api.AnswerChunk)
	err := s.page.Execute(chunks, &s.view)
	if broken != nil {
		return broken // the page stays without its end
	}
	if err == nil {
		err = chunks.Flush()
	}
	if err != nil {
		return fmt.Errorf("write slips: %w", err)
	}
	return nil
}

// onePart yields the slips of one page.
func onePart(all iter.Seq[domain.Outcome]) iter.Seq[domain.Outcome] {
	return func(yield func(domain.Outcome) bool) {
		left := slipsPerPart
		for outcome := range all {
			left--
			if !yield(outcome) || left == 0 {
				return
			}
		}
	}
}

// list yields the parts that slips come in.
func (p *slipParts) list(all iter.Seq[domain.Outcome]) iter.Seq[slipsPart] {
	return func(yield func(slipsPart) bool) {
		var part slipsPart
		seen := 0
		for outcome := range all {
			if seen%slipsPerPart == 0 {
				part = slipsPart{Link: p.link(seen/slipsPerPart + 1), First: outcome.Name}
			}
			part.Last = outcome.Name
			seen++
			if (seen%slipsPerPart == 0 || seen == p.slips) && !yield(part) {
				return
			}
		}
	}
}
