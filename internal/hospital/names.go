package hospital

import "strings"

// culture is where a family's names come from. Shares add up to 100. Family names are ordered from common to rare and drawn with a
// bias to the front, so that some names are shared by many households and some by one, as in a telephone book.
type culture struct {
	share                  int
	women, men, families   []string
	race, raceText         string // OMB category of US Core; empty: not recorded
	hispanic               bool
	language, languageText string // spoken at home by some
	english                int    // percent who prefer English
}

var cultures = []culture{
	{
		share:    34,
		women:    strings.Fields("Margaret Alice Carol Susan Heather Megan Joanna Beth Diane Ruth Hazel Claire Abigail Paige Leah Nora Tessa Ellen Bridget Sylvia"),
		men:      strings.Fields("Walter Peter Gordon Keith Martin Owen Neil Russell Calvin Dean Henry Felix Simon Clive Everett Miles Graham Hugh Ned Tobias"),
		families: strings.Fields("Hartley Whitcombe Marlow Pruitt Ashdown Kell Thornbury Dunmore Fairleigh Lockyer Penrose Wexford Brackett Cullen Harrow Tilling Stroud Oakes Galway Merrick Lathbury Quill Sedgefield Yardley Inglewood"),
		race:     "2106-3", raceText: "White", language: "en", languageText: "English", english: 100,
	},
	{
		share:    16,
		women:    strings.Fields("Lucía Marisol Carmen Rosa Elena Ximena Pilar Itzel Beatriz Yolanda Daniela Graciela"),
		men:      strings.Fields("Mateo Ramón Joaquín Hernán Efraín Tomás Gilberto Rubén Álvaro Nicolás Iván Octavio"),
		families: strings.Fields("Castellanos Villaseñor Montaño Quiroga Barrientos Echeverría Zaragoza Olvera Trujano Peñaloza Saldívar Cienfuegos Arriaga Bustillo Lizárraga"),
		race:     "2106-3", raceText: "White", hispanic: true, language: "es", languageText: "Spanish", english: 45,
	},
	{
		share:    12,
		women:    strings.Fields("Denise Latrice Yvonne Simone Imani Gloria Renée Tamika Odessa Janelle Corinne Nia"),
		men:      strings.Fields("Marcus Darnell Reginald Terrence Isaiah Clarence Andre Quentin Elijah Lamont Vernon Malik"),
		families: strings.Fields("Bellamy Gaines Rollins Hargrove Tolliver Pettway Mayfield Broadnax Dupree Lockhart Sykes Vaughns Ellerbee Maddox"),
		race:     "2054-5", raceText: "Black or African American", language: "en", languageText: "English", english: 100,
	},
	{
		share:    7,
		women:    strings.Fields("Adaeze Folake Abena Ngozi Temilade Efua Chiamaka Yetunde Akosua Ifeoma"),
		men:      strings.Fields("Chukwuemeka Babatunde Kwabena Obinna Oluwaseun Kojo Ikenna Femi Yaw Segun"),
		families: strings.Fields("Okafor Adeyemi Mensah Nwosu Balogun Asante Eze Ogunleye Boateng Chukwu Onyekachi Ampofo"),
		race:     "2054-5", raceText: "Black or African American", language: "ig", languageText: "Igbo", english: 75,
	},
	{
		share:    7,
		women:    strings.Fields("Priya Lakshmi Anjali Meera Harpreet Sunita Kavya Nandini Rukmini Jaswinder"),
		men:      strings.Fields("Arjun Ramesh Vikram Sandeep Karthik Gurpreet Anand Suresh Dilip Manoj"),
		families: strings.Fields("Iyer Raghavan Deshpande Kulkarni Sandhu Chatterjee Venkataraman Bhatt Grewal Subramaniam Kaur Mukherjee"),
		race:     "2028-9", raceText: "Asian", language: "hi", languageText: "Hindi", english: 65,
	},
	{
		share:    6,
		women:    strings.Fields("Mei-Ling Xiaoyan Jiayi Hui Wenjing Yun Lihua Shu-Fen"),
		men:      strings.Fields("Zhiwei Jianhong Haoran Guowei Ming Chengyu Bolin Yifan"),
		families: strings.Fields("Huang Zhao Cheng Liao Guo Shen Ouyang Fang Qiu Tseng"),
		race:     "2028-9", raceText: "Asian", language: "zh", languageText: "Chinese", english: 50,
	},
	{
		share:    4,
		women:    strings.Fields("Thuỳ Lan Hạnh Ngọc Bích Mai Xuân Linh"),
		men:      strings.Fields("Dũng Minh Tuấn Phúc Hải Khánh Long Quang"),
		families: strings.Fields("Nguyễn Trương Đặng Huỳnh Dương Lâm Vương Tạ"),
		race:     "2028-9", raceText: "Asian", language: "vi", languageText: "Vietnamese", english: 45,
	},
	{
		share:    4,
		women:    strings.Fields("Layla Samira Nadia Rania Hanan Mariam Dalia Zeinab"),
		men:      strings.Fields("Karim Tariq Yusuf Hassan Nabil Ziad Fadi Rashid"),
		families: strings.Fields("Haddad Mansour Khoury Saleh Barakat Nasser Jaber Al-Rashidi Chahine"),
		language: "ar", languageText: "Arabic", english: 55,
	},
	{
		share:    4,
		women:    strings.Fields("Katarzyna Małgorzata Jadwiga Zofia Oksana Darya Milena Vesna"),
		men:      strings.Fields("Łukasz Krzysztof Bogdan Stanisław Oleksiy Milan Dragan Andrzej"),
		families: strings.Fields("Wójcik Zieliński Pawlak Szczepański Kovalenko Horvat Dąbrowski Marić Hrytsenko Bieńkowski"),
		race:     "2106-3", raceText: "White", language: "pl", languageText: "Polish", english: 70,
	},
	{
		share:    3,
		women:    strings.Fields("Astrid Ingrid Sigrun Maja Liv Kirsten Solveig Anneli"),
		men:      strings.Fields("Anders Torsten Bjørn Eskil Lars Henrik Sören Magnus"),
		families: strings.Fields("Lindqvist Halvorsen Bergström Nygaard Kjeldsen Åkerman Solberg Hjelm"),
		race:     "2106-3", raceText: "White", language: "sv", languageText: "Swedish", english: 92,
	},
	{
		share:    3,
		women:    strings.Fields("Hodan Amina Ubah Selam Tigist Fartun Hiwot Sahra"),
		men:      strings.Fields("Abdirahman Guled Dawit Liban Mulugeta Warsame Yonas Bashir"),
		families: strings.Fields("Warsame Tessema Jama Gebremariam Farah Abdullahi Worku Hersi"),
		race:     "2054-5", raceText: "Black or African American", language: "so", languageText: "Somali", english: 35,
	},
}

// peopleShares is the sum of shares, so that a table that does not add up still draws evenly.
var peopleShares = func() (n int) {
	for _, c := range cultures {
		n += c.share
	}
	return n
}()

func drawCulture(d *draw) *culture {
	at := d.below(peopleShares)
	for i := range cultures {
		if at -= cultures[i].share; at < 0 {
			return &cultures[i]
		}
	}
	return &cultures[0]
}

func (c *culture) given(d *draw, female bool) string {
	if female {
		return early(d, c.women)
	}
	return early(d, c.men)
}

var plain = strings.NewReplacer(
	"á", "a", "ạ", "a", "ă", "a", "ą", "a", "å", "a", "ä", "a", "â", "a", "à", "a", "ả", "a", "ã", "a", "ấ", "a", "ầ", "a",
	"ç", "c", "ć", "c", "č", "c", "é", "e", "è", "e", "ê", "e", "ễ", "e", "ę", "e", "ệ", "e", "ế", "e", "í", "i", "ì", "i", "ĩ", "i",
	"ł", "l", "ń", "n", "ñ", "n", "ó", "o", "ọ", "o", "ö", "o", "ø", "o", "ô", "o", "ơ", "o", "ú", "u", "ũ", "u", "ü", "u", "ư", "u",
	"ỳ", "y", "ỹ", "y", "ś", "s", "š", "s", "ż", "z", "ź", "z", "đ", "d", "ỗ", "o", "ồ", "o", "ự", "u", "ữ", "u", "ỷ", "y",
)

// handle is a name in plain letters, as keys and mail addresses want it: "theo.moreau".
func handle(given, family string) string {
	s := plain.Replace(strings.ToLower(given + "." + family))
	var b strings.Builder
	for _, r := range s {
		if r >= 'a' && r <= 'z' || r == '.' {
			b.WriteRune(r)
		}
	}
	return b.String()
}
