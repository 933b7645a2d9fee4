package pages

import (
	"errors"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"rollcall/adapters/web/api"
	"rollcall/adapters/web/locale"
	"rollcall/adapters/web/urls"
	"rollcall/domain"
	"rollcall/ports"
)

const (
	// slipsPerPart is the number of slips on a page of a part. Browsers take seconds to lay out and print thousands.
	slipsPerPart = 500

	// maxSlips is the number of slips up to which one page shows all.
	maxSlips = 5000

	slipsInRow = 2

	// maxGroupsNamed is the number of groups that the list of parts names for each part. For more, it names the first and the last.
	maxGroupsNamed = 8

	allParts = "all" // value of the parameter part for the page with all slips
)

// SlipPrinter prints slips to hand out: a page to print and cut, with a slip for each account.
type SlipPrinter struct {
	*Site

	Page *template.Template
}

// slipList describes accounts whose slips are printed.
type slipList struct {
	url  string        // of the page, without parameters
	back linkView      // to the page before
	note locale.Moment // how long the passwords work, and how often
}

// PrintSlips answers GET /useradd/uploads/:id/slips.
func (u *Uploads) PrintSlips(c *fiber.Ctx, user *domain.User) error {
	return u.withResult(c, user, "slips", func(upload *ports.Upload, result *ports.ImportResult) error {
		words := u.Locale.Words(c)
		back := "upload.slips.back"
		if upload.Change != nil {
			back = "bulk.slips.back"
		}
		imported := u.Locale.Now().Add(-upload.Silent - upload.Worked) // or a little later
		return u.Slips.answer(c, result, slipList{
			url: urls.Uploads + upload.ID + "/slips", back: linkView{words.Text(back), urls.Uploads + upload.ID},
			note: words.TextWithTime("upload.slips."+string(u.PasswordPolicy), imported.Add(u.PasswordLifetime)),
		})
	})
}

// answer answers with the slips of a result, and closes the result. More slips than a page has come in parts. The query parameter part numbers
// them from 1, or asks for all; without it, the page lists them.
func (p *SlipPrinter) answer(c *fiber.Ctx, result *ports.ImportResult, list slipList) (err error) {
	defer func() { err = errors.Join(err, result.Close()) }()
	order, err := result.SlipOrder()
	if err != nil {
		return err
	}
	parts := &slipParts{words: p.Locale.Words(c), url: list.url, result: result, order: order, ranges: order.Ranges(slipsPerPart)}
	view := p.view(c, list)
	all := domain.SlipRange{To: len(order.Records)}
	asked := c.Query("part")
	if asked != "" && len(parts.ranges) > 1 {
		view.Index = list.url
	}
	switch number, invalid := strconv.Atoi(asked); {
	case asked == "" && len(parts.ranges) > 1:
		if all.To <= maxSlips {
			view.All = &linkView{view.T.Text("upload.slips.all", "Number", view.T.Number(all.To)), list.url + "?part=" + allParts}
		}
		view.Parts, err = parts.list()
	case asked == "", asked == "1" && len(parts.ranges) == 0, asked == allParts && all.To <= maxSlips:
		view.Groups, err = parts.groups(all)
	case invalid != nil, parts.link(number) == nil:
		return fiber.ErrNotFound
	default:
		if len(parts.ranges) > 1 {
			view.Title = parts.link(number).Name
			view.Previous, view.Next = parts.link(number-1), parts.link(number+1)
		}
		view.Groups, err = parts.groups(parts.ranges[number-1])
	}
	if err != nil {
		return err
	}
	p.write(c, view)
	return nil
}

// answerOne answers with the slip of one account.
func (p *SlipPrinter) answerOne(c *fiber.Ctx, slip *domain.Outcome, list slipList) {
	view := p.view(c, list)
	view.Groups = []slipGroup{{Rows: [][]domain.Outcome{{*slip}}}}
	p.write(c, view)
}

// write answers with a page.
func (p *SlipPrinter) write(c *fiber.Ctx, view *slipsView) {
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set(fiber.HeaderContentDisposition, "inline")
	api.Stream(c, func(w io.Writer) error {
		err := p.Page.Execute(w, view)
		if err != nil {
			return fmt.Errorf("write slips: %w", err)
		}
		return nil
	})
}

// slipsView is the view of a page of slips, or of the list of its parts.
type slipsView struct {
	T       *locale.Words
	Site    string // name
	Title   string
	Back    linkView
	Address string // of the page to sign in
	Note    locale.Moment
	Groups  []slipGroup

	// Of slips in parts.
	Parts          []slipPart
	All            *linkView // nil if the slips are too many for one page
	MaxSlips       int       // on one page
	Index          string    // address of the list; empty for a list, and if there is none
	Previous, Next *linkView // nil for none

	assets Assets
}

func (p *SlipPrinter) view(c *fiber.Ctx, list slipList) *slipsView {
	words := p.Locale.Words(c)
	return &slipsView{
		T: words, Site: p.Name, Title: words.Text("upload.slips"), Back: list.back, Address: c.BaseURL() + urls.Login, Note: list.note,
		MaxSlips: maxSlips, assets: p.Assets,
	}
}

// Asset returns the address of a static file.
func (v *slipsView) Asset(name string) (string, error) { return v.assets.url(name) }

// Code returns the QR code of a login, nil for none.
func (v *slipsView) Code(login string) *signInCode { return newSignInCode(v.Address, login) }

// slipGroup has the slips of a group. A group begins a new page.
type slipGroup struct {
	Name string // empty if the slips are not in groups
	Rows [][]domain.Outcome
}

// slipPart is a part in the list, with its groups.
type slipPart struct {
	Link   *linkView
	Groups []slipGroupPart
	IsLong bool // Groups has the first and the last of more than maxGroupsNamed
}

// slipGroupPart is the share of a part in a group. People are named only if the group continues in other parts.
type slipGroupPart struct {
	Name        string // empty if the slips are not in groups
	First, Last *domain.FullName
}

// slipParts are the parts that slips are printed in.
type slipParts struct {
	words  *locale.Words
	url    string // without the number of a part
	result *ports.ImportResult
	order  *domain.SlipOrder
	ranges []domain.SlipRange
}

// link returns the link to a part, nil if there is no part of that number.
func (p *slipParts) link(number int) *linkView {
	if number < 1 || number > len(p.ranges) {
		return nil
	}
	of := p.ranges[number-1]
	name := p.words.Text("upload.slips.part",
		"First", p.words.Number(of.From+1), "Last", p.words.Number(of.To), "Number", p.words.Number(len(p.order.Records)))
	return &linkView{name, fmt.Sprintf("%s?part=%d", p.url, number)}
}

// groups returns the slips of a range.
func (p *slipParts) groups(of domain.SlipRange) ([]slipGroup, error) {
	records := p.order.Records[of.From:of.To]
	picked, err := p.result.Pick(records)
	if err != nil {
		return nil, err
	}
	var groups []slipGroup
	for number := range p.order.GroupsOf(of) {
		part := p.order.Group(number).Intersect(of)
		slips := make([]domain.Outcome, 0, part.To-part.From)
		for _, record := range p.order.Records[part.From:part.To] {
			slips = append(slips, picked[record])
		}
		groups = append(groups, slipGroup{p.name(slips[0].Group), slices.Collect(slices.Chunk(slips, slipsInRow))})
	}
	return groups, nil
}

// name returns the name of a group as a heading. It is empty if no slip has a group.
func (p *slipParts) name(group domain.Group) string {
	if group == (domain.Group{}) && len(p.order.Groups) > 1 {
		return p.words.Text("upload.slips.no_group")
	}
	return group.String()
}

// list returns the parts, with their groups.
func (p *slipParts) list() ([]slipPart, error) {
	type place struct {
		part    int
		isWhole bool // the part has the whole group
	}
	parts := make([]slipPart, len(p.ranges))
	var places []place
	var records []int32
	for i, of := range p.ranges {
		parts[i].Link = p.link(i + 1)
		groups := slices.Collect(p.order.GroupsOf(of))
		if len(groups) > maxGroupsNamed {
			parts[i].IsLong = true
			groups = []int{groups[0], groups[len(groups)-1]}
		}
		for _, number := range groups {
			group := p.order.Group(number)
			part := group.Intersect(of)
			places = append(places, place{i, part == group})
			records = append(records, p.order.Records[part.From], p.order.Records[part.To-1])
		}
	}
	picked, err := p.result.Pick(records)
	if err != nil {
		return nil, err
	}
	for i, at := range places {
		first, last := picked[records[2*i]], picked[records[2*i+1]]
		group := slipGroupPart{Name: p.name(first.Group)}
		if !at.isWhole {
			group.First, group.Last = &first.Name, &last.Name
		}
		parts[at.part].Groups = append(parts[at.part].Groups, group)
	}
	return parts, nil
}
