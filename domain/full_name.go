package domain

import "strings"

// A NameOrder is the order of the parts of full names in one text.
type NameOrder int

// The orders of full names.
const (
	AnyOrder        NameOrder = iota // unknown: a patronymic or a comma shows the order
	LastFirstMiddle                  // three words are last name, first name, patronymic
	LastFirst                        // so are two words, without a patronymic
	FirstLast                        // two words are first name, last name
	FirstMiddle                      // the text has no last name: a word is the first name, and a second one the patronymic
)

// SplitFullName returns the parts of a full name in one text, and whether they are unambiguous: by the order of names in the file, by the
// ending of a patronymic, or by a comma after the last name. The patronymic may be empty, and in the order FirstMiddle the last name is.
func SplitFullName(text string, order NameOrder) (parts NameTexts, ok bool) {
	text = clean(text)
	last, rest, hasComma := strings.Cut(text, ",")
	words := strings.Fields(rest)
	if !hasComma {
		words = strings.Fields(text)
	}
	if strings.ContainsAny(text, ".()/;\"0123456789") || strings.Contains(rest, ",") { // initials, titles, remarks
		return NameTexts{}, false
	}
	if n := len(words); n > 1 && patronymicParticles[strings.ToLower(words[n-1])] {
		words = append(words[:n-2], words[n-2]+" "+words[n-1])
	}
	if order == FirstMiddle {
		return splitFirstMiddle(words, hasComma)
	}
	if hasComma {
		last = strings.TrimSpace(last)
		switch {
		case last == "" || isPatronymic(last):
			return NameTexts{}, false
		case len(words) == 1:
			return NameTexts{Last: last, First: words[0]}, true
		case len(words) == 2:
			return NameTexts{Last: last, First: words[0], Patronymic: words[1]}, true
		}
		return NameTexts{}, false
	}
	switch len(words) {
	case 2:
		switch {
		case isPatronymic(words[1]), isNameParticle(words[0]), isNameParticle(words[1]), order == LastFirstMiddle, order == AnyOrder:
			return NameTexts{}, false
		case order == FirstLast:
			return NameTexts{First: words[0], Last: words[1]}, true
		}
		return NameTexts{Last: words[0], First: words[1]}, true
	case 3:
		first, second, third := isPatronymic(words[0]), isPatronymic(words[1]), isPatronymic(words[2])
		switch {
		case second && third, first && !third, isNameParticle(words[0]), isNameParticle(words[1]):
			return NameTexts{}, false
		case second:
			return NameTexts{First: words[0], Patronymic: words[1], Last: words[2]}, true
		case third, order == LastFirstMiddle:
			return NameTexts{Last: words[0], First: words[1], Patronymic: words[2]}, true
		}
	}
	return NameTexts{}, false
}

func splitFirstMiddle(words []string, hasComma bool) (parts NameTexts, ok bool) {
	switch {
	case hasComma || len(words) == 0 || isPatronymic(words[0]) || isNameParticle(words[0]):
		return NameTexts{}, false
	case len(words) == 1:
		return NameTexts{First: words[0]}, true
	case len(words) == 2 && isPatronymic(words[1]):
		return NameTexts{First: words[0], Patronymic: words[1]}, true
	}
	return NameTexts{}, false
}

// patronymicEndings end patronymics of Russian, Ukrainian and Belarusian, also in Latin letters. Some surnames have them as well.
var patronymicEndings = []string{
	"ович", "евич", "льич", "тич", "ввич", "мич", "кич", "овна", "евна", "ична", "инична", "івна", "ївна", "аўна", "еўна", "авіч", "евіч",
	"ovich", "evich", "lyich", "ovna", "evna", "ichna", "ivna",
}

// patronymicParticles follow the father's name in Turkic patronymics.
var patronymicParticles = map[string]bool{
	"оглы": true, "оглу": true, "кызы": true, "гызы": true, "угли": true, "кизи": true, "уулу": true, "улы": true, "ұлы": true, "қызы": true,
	"ogly": true, "oglu": true, "kyzy": true, "kizi": true, "ugli": true, "uulu": true,
}

// nameParticles begin a part of a name that has several words, or stand before a name.
const nameParticles = " г-н г-жа д-р mr mrs ms dr prof ван фон де дер ден дю да ла ле ло ди дос дас аль эль ас аш бен бин ибн абу сан санта тер von van de der den di da du la le lo dos das al el bin " +
	"ibn ben abu san santa ter st "

func isNameParticle(word string) bool {
	return strings.Contains(nameParticles, " "+strings.ToLower(word)+" ")
}

// isPatronymic reports whether a word, or a name with a particle, has the form of a patronymic.
func isPatronymic(word string) bool {
	word = strings.ToLower(word)
	if at := strings.LastIndexByte(word, ' '); patronymicParticles[word[at+1:]] {
		return true
	}
	for _, ending := range patronymicEndings {
		if strings.HasSuffix(word, ending) {
			return true
		}
	}
	return false
}
