"""First names that are common enough to be known whatever the data: nobody's typing error, and of which gender.

Add a name when it is common and one letter away from another one, or the beginning of another one. Of several spellings
of one name (Sofia, Sophia) only one may stand here: both would be taken for two persons.
"""

from __future__ import annotations

from pipelines.wordlist import words

FEMALE = words(
    "Alina Amelie Angela Angelika Anita Anja Anke Anna Anne Annette Anni Antonia Astrid Barbara Beate Bettina "
    "Bianca Birgit Brigitte Carmen Carolin Charlotte Christa Christiane Christina Christine Claudia Cornelia "
    "Dagmar Daniela Danielle Diana Dora Doris Dorothea Edith Elena Elisa Elisabeth Elke Ella Ellen Elsa Emilia "
    "Emily Emma Erika Esther Eva Fatima Franziska Frieda Gabriele Gerda Gerlinde Gertrud Gisela Greta Gudrun "
    "Hannah Hannelore Hedwig Heide Heidi Heike Helena Helene Helga Hilde Hildegard Ida Ilona Ilse Ines Inge "
    "Ingeborg Ingrid Irene Iris Irma Isabell Isabella Ivana Jana Janine Jasmin Jessica Johanna Josefine Judith "
    "Julia Juliane Jutta Karin Karina Karla Karoline Katharina Katja Katrin Kerstin Klara Kristin Lara Larissa "
    "Laura Lea Lena Leni Leona Leonie Lia Lilli Lina Linda Lisa Lucia Luisa Lydia Magdalena Manuela Maren "
    "Margarete Margit Margot Maria Marianne Marie Marina Marion Marlene Martha Martina Mathilda Maya Melanie "
    "Melina Mia Michaela Michelle Miriam Monika Monique Nadine Nadja Natalie Natascha Nele Nicole Nina Nora "
    "Olivia Patricia Paula Pauline Petra Pia Ramona Rebecca Regina Renate Ricarda Rita Romy Ronja Rosa Rosemarie "
    "Ruth Sabine Sabrina Sandra Sarah Selina Silke Silvia Simone Sonja Sophia Sophie Stephanie Susanne Sybille "
    "Tamara Tanja Tatjana Theresa Tina Ulrike Ursula Ute Valentina Vanessa Vera Verena Veronika Viktoria Waltraud "
    "Wiebke Yvonne "
    # Of women whose name a man's is nearly.
    "Alexandra Henrike Kazimiera Olga Zuzanna"
)

MALE = words(
    "Adrian Albert Alexander Alfred Andreas Anton Arno Arthur August Axel Bastian Ben Benedikt Benjamin Bernd "
    "Bernhard Björn Bruno Christian Christoph Clemens Daniel David Dennis Detlef Dieter Dietmar Dirk Dominik "
    "Eberhard Eckhard Elias Emil Emmanuel Erich Erik Ernst Erwin Eugen Fabian Felix Ferdinand Finn Florian Frank "
    "Franz Frederik Friedrich Fritz Gabriel Georg Gerald Gerd Gerhard Gernot Gregor Guido Günter Gustav Hannes "
    "Hans Harald Harry Hartmut Heiko Heiner Heinrich Heinz Helmut Henrik Henry Herbert Hermann Holger Horst "
    "Hubert Hugo Ingo Ivan Jakob Jan Jannik Jens Joachim Jochen Johannes Jonas Jonathan Jörg Josef Julian Julius "
    "Jürgen Justin Karl Karsten Kevin Kilian Klaus Konrad Konstantin Kurt Lars Laurin Lennard Leo Leon Leonard "
    "Levi Liam Linus Lorenz Lothar Ludwig Luis Lukas Manfred Manuel Marcel Mario Marius Mark Marko Markus Martin "
    "Matthias Max Maximilian Michael Mohammed Moritz Niklas Nils Noah Norbert Olaf Oliver Oskar Otto Pascal "
    "Patrick Paul Peter Philipp Ralph Raphael Reiner Reinhard Rene Richard Robert Roland Rolf Roman Rudi Rudolf "
    "Samuel Sebastian Simon Steffen Stephan Sven Theodor Thomas Tim Timo Tobias Tom Torsten Udo Ulf Ulrich Uwe "
    "Valentin Viktor Vincent Volker Walter Werner Wilhelm Willi Winfried Wolfgang Yannick "
    # Of men whose name with an a is a woman's.
    "Bogdan Bogusław Bronisław Czesław Grzegorz Jarosław Kazimierz Krzysztof Leszek Maciej Marian Mateusz Mieczysław "
    "Mirosław Przemysław Radosław Ryszard Sławomir Stanisław Tadeusz Vladimir Waldemar Wiesław Władysław Wojciech "
    "Zbigniew Zdzisław Zygmunt"
)

# Borne by women and men.
EITHER = words("Andrea Kai Kim Luca Nicola Robin Sascha")
